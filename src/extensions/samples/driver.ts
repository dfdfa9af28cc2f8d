import type { AsyncResult, MdevDevice, QueryError } from "../../index.js";

/** Whether a device is of a driver's types: their ids begin with its name. */
export function isOfDriver(device: MdevDevice, driver: string): AsyncResult<boolean, QueryError> {
  return device.type().map((type) => type?.id.startsWith(`${driver}-`) === true);
}
