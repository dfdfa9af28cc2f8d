import {
  type AsyncResult,
  type LookupError,
  type MdevType,
  NotFoundError,
  type OperationOptions,
  type Parent,
  type QueryError,
  InvalidArgumentError,
  Result,
} from "../../index.js";
import { foldVgpuName as fold, sameVgpuName } from "./folded-name.js";
import { Ended, type Inquiry, inquire } from "./inquiry.js";

/** Whose types are looked at: a parent or a card. */
type Where = Pick<Parent, "id" | "path">;

/** Whether a function lists only what it can be given now. */
export function listsCreatable({ layout }: Parent): boolean {
  return layout === "nvidia-vfio";
}

/** A type as the functions of a card offer it. */
export interface Offer {
  readonly id: string;
  /** As its file has it; `undefined` where no function shows it. */
  readonly name: string | undefined;
  /** It, on the first function that lists it. */
  readonly first: MdevType;
  /** It, on each function that lists it. */
  readonly types: readonly MdevType[];
}

/**
 * The type of a parent that a name means: `GRID P40-2B`, and as others write it `P40-2B`, `grid p40-2b` or
 * `NVIDIA_L40S-4Q`. Its id (`nvidia-156`) is understood too.
 *
 * Capitals, the first word `GRID` or `NVIDIA`, and `_` for a blank make no difference; all else does: `P40-2B4` is not
 * `P40-2B`, and `A100-1-5CME` is not `A100-1-5C`. The exact spelling goes before others. Where several types fit, none
 * is taken: that is `not-found`, the message names all of them, and `suggestion` is the id of the first. Where none
 * does, `suggestion` is the id of the one that is most like it.
 *
 * Reads the type folders' files `name`, or the rows of `creatable_vgpu_types`; on that interface of NVIDIA's own a function
 * lists only the types that it can be given now. A name that is no text is `invalid-argument`.
 *
 * @example
 * ```ts
 * import { MdevHost } from "vfio-mdev";
 * import { findVgpuType } from "vfio-mdev/nvidia";
 * import { SimulatedHost } from "vfio-mdev/testing";
 *
 * const simulated = new SimulatedHost();
 * simulated.addNvidiaGpu({ address: "0000:3b:00.0" });
 * const gpu = await new MdevHost({ fs: simulated.fs }).parent("0000:3b:00.0").getOrThrow();
 * console.log((await findVgpuType(gpu, "p40-2b").getOrThrow()).id); // prints: nvidia-156
 *
 * const wrong = await findVgpuType(gpu, "P40-2C");
 * console.log(!wrong.ok && wrong.error.hint); // prints: Did you mean nvidia-47 (GRID P40-2Q)?
 * ```
 */
export function findVgpuType(
  parent: Parent,
  name: string,
  options?: OperationOptions,
): AsyncResult<MdevType, LookupError> {
  return inquire(options, async (inquiry) => {
    const fault = nameFault(name, parent);
    if (fault !== undefined) throw new Ended(fault);
    const offers = await readOffers(inquiry, [parent]);
    const offer = chooseOffer(offers, name, { where: parent, creatableOnly: listsCreatable(parent) });
    return offer.map(({ first }) => first);
  });
}

/** All types that functions offer. One function that cannot be read spoils only itself; all of them, the whole. */
export async function readOffers(inquiry: Inquiry, functions: readonly Parent[]): Promise<readonly Offer[]> {
  const offers = new Map<
    string,
    { id: string; name: string | undefined; first: MdevType; types: MdevType[] }
  >();
  let failure: QueryError | undefined;
  let answered = functions.length === 0;
  for (const parent of functions) {
    const types = await inquiry.ask((within) => parent.types(within));
    if (!types.ok) {
      failure ??= types.error;
      continue;
    }
    answered = true;
    for (const type of types.value) {
      const offer = offers.get(type.id) ?? { id: type.id, name: undefined, first: type, types: [] };
      offer.types.push(type);
      offer.name ??= await inquiry.learn((within) => type.name.read(within));
      offers.set(type.id, offer);
    }
  }
  if (!answered && failure !== undefined) throw new Ended(failure);
  return [...offers.values()];
}

/** Why a name can be that of no type; `undefined` where it can. */
export function nameFault(wanted: string, { id, path }: Where): InvalidArgumentError | undefined {
  if (typeof wanted === "string" && wanted.trim() !== "") return undefined;
  return new InvalidArgumentError({ tried: `find a type of ${id}`, reason: "its name is no text", path });
}

/** The one offer that a name or an id means. */
export function chooseOffer(
  offers: readonly Offer[],
  wanted: string,
  { where, creatableOnly }: { readonly where: Where; readonly creatableOnly: boolean },
): Result<Offer, NotFoundError> {
  const tried = `find the type ${JSON.stringify(wanted.slice(0, 80))} of ${where.id}`;
  const fitting = [
    offers.filter(({ id }) => id === wanted),
    offers.filter(({ name }) => name === wanted),
    offers.filter(({ name }) => name !== undefined && sameVgpuName(name, wanted)),
  ].find((found) => found.length > 0);
  const [offer, ...others] = fitting ?? [];
  if (offer === undefined) {
    const nearest = mostAlike(fold(wanted), offers);
    const hints = [
      ...(nearest === undefined ? [] : [`Did you mean ${label(nearest)}?`]),
      ...(creatableOnly ? ["A type that cannot be created now is not listed here."] : []),
    ];
    const hint = hints.length === 0 ? undefined : hints.join(" ");
    const facts = { tried, reason: "there is no type with this name", hint, path: where.path };
    return Result.error(new NotFoundError({ ...facts, suggestion: nearest?.id }));
  }
  if (others.length === 0) return Result.ok(offer);
  return Result.error(
    new NotFoundError({
      tried,
      reason: `${others.length + 1} types have this name`,
      hint: `Take one of them by its id: ${[offer, ...others].map(label).join(", ")}.`,
      path: where.path,
      suggestion: offer.id,
    }),
  );
}

function label({ id, name }: Offer): string {
  return name === undefined ? id : `${id} (${name})`;
}

/** The offer whose name begins most alike: the product, then the slices, then the size. Of several, the first. */
function mostAlike(wanted: string, offers: readonly Offer[]): Offer | undefined {
  let [best, bestLength]: [Offer | undefined, number] = [undefined, 1];
  for (const offer of offers) {
    const name = fold(offer.name ?? "");
    const alike = [...name].findIndex((character, at) => character !== wanted[at]);
    const length = alike === -1 ? name.length : alike;
    if (length <= bestLength) continue;
    [best, bestLength] = [offer, length];
  }
  return best;
}
