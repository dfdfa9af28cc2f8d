import type { Resolution } from "../../index.js";

/**
 * What is known of the displays that a type's devices have: plain, frozen data. What no source tells is `undefined`,
 * never 0 or a guess. Sources: those of {@link DisplayType}.
 */
export interface DisplayFacts {
  /** The memory for pictures, in bytes. */
  readonly framebufferBytes: number | undefined;
  /** How many displays a device has. */
  readonly heads: number | undefined;
  /** The largest resolution of a display, in pixels. */
  readonly maxResolution: Resolution | undefined;
  /** How many devices of the type the hardware can hold when it holds no others: a GPU, not one of its functions. */
  readonly maxInstances: number | undefined;
  /** The most frames a second that a device draws. */
  readonly frameRateLimit: number | undefined;
  /** The text of the type's file `description`, as it was given: what is not among these facts can be read from it. */
  readonly description: string | undefined;
  /** The values in the description with keys that nobody knows, as they stand there. */
  readonly others: Readonly<Record<string, string>>;
}

/** What one source tells. */
export type PartialFacts = Partial<DisplayFacts>;

/** The facts of several sources. For each fact, the first source that knows it counts. */
export function merge(sources: readonly PartialFacts[]): DisplayFacts {
  const first = <Fact extends keyof DisplayFacts>(fact: Fact): DisplayFacts[Fact] | undefined =>
    sources.find((source) => source[fact] !== undefined)?.[fact];
  const maxResolution = first("maxResolution");
  return Object.freeze({
    framebufferBytes: first("framebufferBytes"),
    heads: first("heads"),
    maxResolution: maxResolution && Object.freeze({ ...maxResolution }),
    maxInstances: first("maxInstances"),
    frameRateLimit: first("frameRateLimit"),
    description: first("description"),
    others: Object.freeze({ ...first("others") }),
  });
}

/** Whether anything of the displays is known. */
export function isKnown(facts: DisplayFacts): boolean {
  const { framebufferBytes, heads, maxResolution, maxInstances, frameRateLimit } = facts;
  return [framebufferBytes, heads, maxResolution, maxInstances, frameRateLimit].some(
    (fact) => fact !== undefined,
  );
}
