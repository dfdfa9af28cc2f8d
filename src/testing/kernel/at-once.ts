import { Errno } from "../errno.js";

/** Does what another program is said to have done. Where the kernel refuses, that is an error of the test. */
export function atOnce<T>(refused: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    throw new Error(`${refused}: ${error.errno}`, { cause: error });
  }
}
