import type { MdevHost } from "../../index.js";
import type { StepError } from "./apply.js";
import { formatNote } from "../inventory/note.js";
import type { Done } from "./step-runner.js";

/** How long taking back a step may take, in milliseconds. */
const LIMIT = 10_000;

/** Takes back a step that was done; what keeps it from that. */
export async function undoStep(
  host: MdevHost,
  { step, device, before }: Done,
  owner: string,
): Promise<StepError | undefined> {
  const limits = { timeout: LIMIT };
  switch (step.kind) {
    case "keep":
      return undefined;
    case "create":
      return (await device?.remove({ ...limits, owner }))?.error;
    case "configure": {
      const names = new Set(step.attributes.map(([name]) => name));
      return (await device?.setAttributes(textsOf(before?.attributes, names), limits))?.error;
    }
    case "remove": {
      const type = host.typeFrom({ path: step.parentPath, layout: step.layout }, { id: step.type ?? "" });
      const created = await type.create({
        ...limits,
        uuid: type.createOptions.has("uuid") ? step.device : undefined,
        attributes: textsOf(before?.attributes),
        owner,
        note:
          before?.note && formatNote(before.note.name, { id: before.note.type, name: before.note.typeName }),
      });
      return created.error;
    }
  }
}

/** The texts that attributes had; what was empty, or could not be read, is left as a new device has it. */
function textsOf(
  attributes: Readonly<Record<string, string | undefined>> = {},
  names?: ReadonlySet<string>,
): (readonly [name: string, text: string])[] {
  return Object.entries(attributes).flatMap(([name, text]) =>
    text === undefined || text.trim() === "" || names?.has(name) === false ? [] : [[name, text] as const],
  );
}
