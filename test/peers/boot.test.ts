import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fencesRunBy } from "../../tools/doc-fences/extract.mjs";
import { temporaryFolder } from "../support/temporary.js";

/** The files that docs/definitions.md gives, as somebody copies them: by the path above the fence. */
function printed(): Readonly<Record<string, string>> {
  const page = readFileSync("docs/definitions.md", "utf8");
  const files = fencesRunBy("test/peers/boot.test.ts", "docs/definitions.md", 3).map((text) => {
    const above = page.slice(0, page.indexOf(text)).matchAll(/`(\/etc\/(?:udev|systemd)\/[^`]+)`:\n\n```/gu);
    return [[...above].at(-1)?.[1] ?? "", `${text}\n`] as const;
  });
  return Object.fromEntries(files);
}
const RULE = "/etc/udev/rules.d/60-start-automatic.rules";

it("the documentation has a rule and two units", () => {
  expect(Object.keys(printed()).sort()).toEqual([
    "/etc/systemd/system/start-automatic.service",
    "/etc/systemd/system/start-automatic@.service",
    RULE,
  ]);
});

// No address of a PCI function: to systemd-analyze, what comes after a colon is another name.
it.each(["start-automatic.service", "start-automatic@mtty.service"])("systemd takes %s", (unit) => {
  const folder = temporaryFolder();
  for (const [path, text] of Object.entries(printed()))
    if (path.endsWith(".service")) {
      // The program that it runs has to be there to be verified; where Node is, is the user's choice.
      const here = text.replaceAll("/usr/bin/node", process.execPath);
      writeFileSync(join(folder, path.split("/").at(-1) ?? ""), here);
    }
  const { status, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", join(folder, unit)], {
    encoding: "utf8",
  });
  expect([status, stderr.split("\n").filter((line) => line.includes("start-automatic"))]).toEqual([0, []]);
});

describe("udev", () => {
  /** What udev would run at an event of a device, by the rule alone. No device has a state here: a rule before it gives it one. */
  function runs(state: string, definitions: readonly string[], action = "change"): string[] {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "00-state.rules"), `ENV{MDEV_STATE}="${state}"\n`);
    writeFileSync(join(folder, "60-start-automatic.rules"), printed()[RULE] ?? "");
    mkdirSync(join(folder, "mdevctl.d"));
    for (const parent of definitions) mkdirSync(join(folder, "mdevctl.d", parent));
    const script = [
      "set -e",
      "mkdir -p /run/udev /etc/udev/rules.d /etc/mdevctl.d",
      "mount -t tmpfs tmpfs /run/udev",
      "mount -t tmpfs tmpfs /usr/lib/udev/rules.d",
      'mount --bind "$0" /etc/udev/rules.d',
      'mount --bind "$0/mdevctl.d" /etc/mdevctl.d',
      'udevadm test --action="$1" /sys/devices/system/cpu/cpu0 2>&1',
    ].join("\n");
    const { stdout } = spawnSync("unshare", ["--mount", "bash", "-c", script, folder, action], {
      encoding: "utf8",
    });
    expect(stdout).toContain("60-start-automatic.rules");
    expect(stdout).not.toMatch(
      /(?:Invalid|Unknown|error).*|60-start-automatic\.rules:\d+ .*(?:ignoring|invalid)/iu,
    );
    // Some versions print the rule as it is written, too.
    return stdout.split("\n").flatMap((line) => /\/usr\/bin\/systemctl [^$]*service/u.exec(line) ?? []);
  }

  it("starts the unit of a parent that is registered and has definitions", () => {
    const starts = "/usr/bin/systemctl --no-block start start-automatic@cpu0.service";
    expect(new Set(runs("registered", ["cpu0"]))).toEqual(new Set([starts]));
  });

  it("starts nothing of one without definitions, or that is unregistered, or only added", () => {
    expect(runs("registered", ["cpu1"])).toEqual([]);
    expect(runs("unregistered", ["cpu0"])).toEqual([]);
    expect(runs("registered", ["cpu0"], "add")).toEqual([]);
  });
});

it("what the units run is the example", () => {
  const commands = Object.values(printed()).flatMap((text) => /^ExecStart=(.*)$/mu.exec(text)?.[1] ?? []);
  expect(commands.map((command) => command.split(" ").slice(0, 2))).toEqual([
    ["/usr/bin/node", "/opt/start-automatic/start-automatic.mjs"],
    ["/usr/bin/node", "/opt/start-automatic/start-automatic.mjs"],
  ]);
  expect(existsSync("examples/start-automatic.mjs")).toBe(true);
});
