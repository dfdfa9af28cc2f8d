import { expect } from "vitest";
import type { FileSystem } from "../../src/index.js";

export const BUS = "/sys/bus/mdev/devices";
export const typePath = (parent: string, type: string): string =>
  `/sys/class/mdev_bus/${parent}/mdev_supported_types/${type}`;
export const uuid = (n: number): string => `83b8f4f2-509f-382f-3c1e-${n.toString(16).padStart(12, "0")}`;

const O_WRONLY = 1;

/** Short hands for the calls that nearly every test makes. */
export function handsOn(fs: FileSystem) {
  const read = (path: string): Promise<string> => fs.readFile(path, "utf8");
  const write = (path: string, text: string, flag = O_WRONLY): Promise<void> =>
    fs.writeFile(path, text, { flag });
  return {
    read,
    write,
    ls: async (path: string): Promise<string[]> => (await fs.readdir(path)).sort(),
    create: (parent: string, type: string, id: string): Promise<void> =>
      write(`${typePath(parent, type)}/create`, id),
    remove: (id: string): Promise<void> => write(`${BUS}/${id}/remove`, "1"),
    available: async (parent: string, type: string): Promise<number> =>
      Number(await read(`${typePath(parent, type)}/available_instances`)),
  };
}

/** Expects node's error: `EINVAL (write)`. */
export async function expectError(call: Promise<unknown>, what: string): Promise<void> {
  const told = await call.then(
    () => "no error",
    (error: unknown) => {
      const { code, syscall } = error as { code: string; syscall: string };
      return `${code} (${syscall})`;
    },
  );
  expect(told).toBe(what);
}

/** Lets everything that is under way go as far as it can. */
export const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));
