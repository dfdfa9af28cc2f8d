import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { DefinitionStore } from "../../src/definitions/index.js";
import { Watched } from "../definitions/watched.js";
import { memoryFolder } from "./memory-folder.js";
import { Mdevctl } from "./mdevctl.js";

const [ONE, TWO] = ["11111111-aaaa-4bbb-8ccc-000000000001", "22222222-aaaa-4bbb-8ccc-000000000002"];
const NEVER = 3_600_000;

it("what mdevctl does to definitions is told, by inotify alone", async () => {
  const mdevctl = new Mdevctl(join(memoryFolder(), "theirs"));
  const root = join(mdevctl.root, "etc/mdevctl.d");
  const watched = new Watched(new DefinitionStore({ root }), { interval: NEVER });
  onTestFinished(() => watched.return());
  await watched.next();
  const steps = [
    ["define", "--uuid", ONE, "--parent", "p", "--type", "t"],
    ["define", "--uuid", ONE, "--parent", "q", "--type", "t"],
    ["define", "--uuid", TWO, "--parent", "p", "--type", "t", "--auto"],
    ["modify", "--uuid", ONE, "--parent", "p", "--auto"],
    ["modify", "--uuid", TWO, "--addattr", "a", "--value", "1"],
    ["undefine", "--uuid", ONE],
    ["undefine", "--uuid", TWO],
  ];
  for (const step of steps) {
    expect((await mdevctl.run(...step)).ok, step.join(" ")).toBe(true);
    await watched.untilItKnows();
  }
  expect(watched.story).toEqual([
    "snapshot",
    "defined p/1",
    "defined q/1",
    "defined p/2",
    "changed p/1",
    "changed p/2",
    "undefined p/1",
    "undefined q/1",
    "undefined p/2",
  ]);

  // Without a pause, and with the whole folder going now and then.
  for (let round = 0; round < 5; round++) {
    for (const step of steps.slice(0, 5)) await mdevctl.run(...step);
    if (round % 2 === 0) for (const step of steps.slice(5)) await mdevctl.run(...step);
    else rmSync(root, { recursive: true });
    mkdirSync(root, { recursive: true });
    mdevctl.prepare();
    await mdevctl.run("define", "--uuid", ONE, "--parent", "p", "--type", `t${round}`);
    await watched.untilItKnows();
    await mdevctl.run("undefine", "--uuid", ONE);
  }
  await watched.untilItKnows();
  expect(watched.story.filter((each) => each.startsWith("problem"))).toEqual([]);
});
