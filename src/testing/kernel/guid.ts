import { Errno } from "../errno.js";

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/iu;

/**
 * What `create` accepts: 36 or 37 bytes of which the first 36 are a UUID of any case, version and variant; the last
 * one is not looked at. Gives the lower-case form that names the device.
 */
export function parseGuid(text: string): string {
  const bytes = new TextEncoder().encode(text).length;
  const guid = GUID.exec(text)?.[0];
  if ((bytes !== 36 && bytes !== 37) || guid === undefined) throw new Errno("EINVAL");
  return guid.toLowerCase();
}
