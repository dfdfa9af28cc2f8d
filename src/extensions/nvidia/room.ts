/** What is known of a type's size. */
export interface TypeSize {
  /** Its framebuffer, in bytes. */
  readonly framebufferBytes: number | undefined;
  /** How many of it a GPU holds that has no others. */
  readonly maxInstances: number | undefined;
}

/**
 * How many more vGPUs of a type the framebuffer of a GPU has room for, at the most; `undefined` where that cannot be
 * told.
 *
 * @param type - the size of the type
 * @param used - the framebuffer of each vGPU that there is, in bytes; `undefined` for one that does not tell
 * @param others - the sizes of all types that are listed
 */
export function roomFor(
  type: TypeSize,
  used: readonly (number | undefined)[],
  others: readonly TypeSize[],
): number | undefined {
  const { framebufferBytes: size, maxInstances } = type;
  const areEqual = used.every((bytes) => bytes !== undefined && bytes === size);
  if (maxInstances !== undefined && areEqual) return Math.max(0, maxInstances - used.length);
  const whole = wholeOf(others);
  if (size === undefined || size === 0 || whole === undefined) return undefined;
  let free = whole;
  for (const bytes of used) {
    if (bytes === undefined) return undefined;
    free -= bytes;
  }
  return Math.max(0, Math.floor(free / size));
}

/** The framebuffer that all vGPUs share: as much as the type takes of which the most fits. */
function wholeOf(types: readonly TypeSize[]): number | undefined {
  const products = types.map(({ framebufferBytes, maxInstances }) =>
    framebufferBytes === undefined || maxInstances === undefined ? 0 : framebufferBytes * maxInstances,
  );
  const whole = Math.max(0, ...products);
  return whole === 0 ? undefined : whole;
}
