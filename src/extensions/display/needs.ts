import type { Resolution } from "../../index.js";
import type { DisplayFacts } from "./facts.js";

/** What a program wants of a display. What is left out, it does not care for. */
export interface DisplayNeeds {
  /** At least so many bytes of memory for pictures. */
  readonly framebufferBytes?: number | undefined;
  /** At least so many displays. */
  readonly heads?: number | undefined;
  /** At least this width and this height, in pixels. */
  readonly resolution?: Resolution | undefined;
  /** At least so many frames a second. */
  readonly frameRate?: number | undefined;
  /** Hardware that can hold at least so many devices of the type. How many are left is not asked. */
  readonly instances?: number | undefined;
}

/**
 * Whether a type with these facts meets all of the needs. What is not known never meets a need.
 *
 * @example
 * ```ts
 * import { displayFactsOf, meets } from "vfio-mdev/display";
 *
 * const type = { id: "nvidia-46", name: "GRID P40-1Q", description: "num_heads=4, framebuffer=1024M" };
 * const facts = displayFactsOf(type).getOrThrow();
 * console.log(meets(facts, { heads: 2 }), meets(facts, { frameRate: 30 })); // prints: true false
 * ```
 */
export function meets(facts: DisplayFacts, needs: DisplayNeeds): boolean {
  const pairs: readonly (readonly [fact: number | undefined, need: number | undefined])[] = [
    [facts.framebufferBytes, needs.framebufferBytes],
    [facts.heads, needs.heads],
    [facts.maxResolution?.width, needs.resolution?.width],
    [facts.maxResolution?.height, needs.resolution?.height],
    [facts.frameRateLimit, needs.frameRate],
    [facts.maxInstances, needs.instances],
  ];
  return pairs.every(([fact, need]) => need === undefined || (fact !== undefined && fact >= need));
}
