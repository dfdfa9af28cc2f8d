import type { MdevDevice, Parent, Problem } from "../../index.js";
import { vgpuDescription } from "./description.js";
import type { Inquiry } from "./inquiry.js";
import type { Offer } from "./offers.js";
import type { TypeSize } from "./room.js";
import { parseVgpuTypeName } from "./type-name.js";

/** One vGPU of a card: plain, frozen data. */
export interface UsedVgpu {
  /** The id of the device: its UUID, or the PCI address of its function. */
  readonly id: string;
  /** The PCI address of its function, which is its parent: a virtual function where there is SR-IOV. */
  readonly function: string;
  /** The id of its type; `undefined` while that does not show. */
  readonly typeId: string | undefined;
  /** The name of its type; `undefined` where no function shows it. */
  readonly name: string | undefined;
  /** Its framebuffer in bytes, by its type's description or name; `undefined` where neither tells. */
  readonly framebufferBytes: number | undefined;
}

/** What a card is used for: plain, frozen data. */
export interface VgpuUsage {
  /** Its vGPUs, by function. */
  readonly vgpus: readonly UsedVgpu[];
  /** The framebuffer of all of them, in bytes: 0 for none; `undefined` where that of one is not known. */
  readonly framebufferBytes: number | undefined;
  /** What could not be read. What was gone meanwhile is none of it. */
  readonly problems: readonly Problem[];
}

/** The vGPUs of functions; one that is gone meanwhile is left out. */
export async function readVgpus(
  inquiry: Inquiry,
  functions: readonly Parent[],
  offers: readonly Offer[],
): Promise<UsedVgpu[]> {
  const vgpus: UsedVgpu[] = [];
  for (const parent of functions) {
    for (const device of (await inquiry.learn((within) => parent.devices(within))) ?? []) {
      const vgpu = await readVgpu(inquiry, { parent, device, offers });
      if (vgpu !== undefined) vgpus.push(vgpu);
    }
  }
  return vgpus;
}

/** `undefined` where it is gone meanwhile. */
async function readVgpu(
  inquiry: Inquiry,
  { parent, device, offers }: { parent: Parent; device: MdevDevice; offers: readonly Offer[] },
): Promise<UsedVgpu | undefined> {
  const found = await inquiry.ask((within) => device.type(within));
  if (!found.ok && found.error.type === "gone") return undefined;
  const type = found.ok ? found.value : undefined;
  const offer = offers.find(({ id }) => id === type?.id);
  const size = offer && (await sizeOf(inquiry, offer));
  return Object.freeze({
    id: device.id,
    function: parent.id,
    typeId: type?.id,
    name: offer?.name,
    framebufferBytes: size?.framebufferBytes,
  });
}

/** The size of a type: by its description, or else by its name. */
export async function sizeOf(inquiry: Inquiry, { first, name }: Offer): Promise<TypeSize> {
  const raw = await inquiry.learn((within) => first.description.read(within));
  const description = raw === undefined ? undefined : vgpuDescription.decode(raw);
  if (description?.ok) return description.value;
  const parsed = name === undefined ? undefined : parseVgpuTypeName(name);
  const framebufferBytes = parsed?.ok ? parsed.value.framebufferBytes : undefined;
  return { framebufferBytes, maxInstances: undefined };
}
