import { InvalidArgumentError } from "./errors.js";
import { parseUuid } from "./identifiers.js";
import { builtin } from "./node-builtin.js";

/**
 * The UUID that a name has in a namespace, version 5: always the same one for the same two, so that a device can be found
 * again without a list. The namespace is a UUID that you make once for your program.
 *
 * Throws an {@link InvalidArgumentError} for a namespace that is no UUID, or a name that UTF-8 cannot carry.
 * Source: RFC 9562, section 5.5.
 *
 * @example
 * ```ts
 * import { derivedUuid } from "vfio-mdev";
 *
 * const MY_MANAGER = "0f6e1c7a-9a31-4a6e-9d3c-6f0a5f0b2d11"; // from `uuidgen`
 * console.log(derivedUuid(MY_MANAGER, "vm-7/vgpu-0")); // prints: c19591ee-71c5-5f41-83ef-cd7d4de58bc5
 * ```
 */
export function derivedUuid(namespace: string, name: string): string {
  const tried = "derive a UUID";
  const parsed = parseUuid(namespace, tried);
  if (!parsed.ok) throw parsed.error;
  if (typeof name !== "string" || /\p{Cs}/u.test(name))
    throw new InvalidArgumentError({ tried, reason: "its name is no text that UTF-8 can carry" });
  const hash = sha1(Buffer.from(parsed.value.replaceAll("-", ""), "hex"), name).subarray(0, 16);
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6); // the version
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8); // the variant
  return hash.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Loads node:crypto when it is needed: it would be a good part of this package's loading time. */
function sha1(...parts: readonly (Buffer | string)[]): Buffer {
  const hash = builtin("node:crypto").createHash("sha1");
  for (const part of parts) hash.update(part);
  return hash.digest();
}
