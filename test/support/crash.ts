import type { StateStore } from "../../src/index.js";

/** Makes all claims of a store those of a process that has ended, and so its locks. */
export async function crash(state: StateStore): Promise<void> {
  for (const name of await state.names()) {
    const entry = await state.read(name);
    if (entry === undefined) continue;
    await state.remove(name, entry.tag);
    if (name.startsWith("lock.")) continue; // the next one takes it over
    const claim = JSON.parse(entry.text) as { by: object };
    await state.create(name, JSON.stringify({ ...claim, by: { ...claim.by, started: "1" } }));
  }
}
