// The commands of docs/s390-channel-io.md that give a subchannel to vfio_ccw and take it back, in an s390x guest.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { MdevHost } from "../../src/index.js";
import { fencesRunBy } from "../../tools/doc-fences/extract.mjs";
import type { Subchannel } from "../contract/ccw.js";
import { fails, ok } from "../contract/expect.js";

/** What a shell makes of the page, for a subchannel that vfio_ccw has. */
export function subchannelCommands(host: MdevHost, { id, device }: Subchannel): void {
  describe("the commands of the page", () => {
    it("take a subchannel from vfio_ccw, find it, and give it back", async () => {
      const [find = "", give = "", takeBack = ""] = fencesRunBy(
        "test/kernel/subchannel-commands.ts",
        "docs/s390-channel-io.md",
        3,
      ).map((commands) => commands.replaceAll("0.0.0313", id).replaceAll("0.0.e1d2", device));
      const shell = (commands: string): string =>
        execFileSync("sh", ["-euc", commands], { encoding: "utf8" });

      await ok(host.parent(id));
      assert.equal(shell(takeBack), "");
      await fails(host.parent(id), "not-found");
      while (!existsSync(`/sys/bus/ccw/devices/${device}`)) await pause(50);
      assert.equal(shell(find).trim(), find.split("#")[1]?.trim()); // its comment says what it prints
      assert.equal(shell(give), "");
      assert.equal((await ok(host.parent(id))).id, id);
      assert.equal(existsSync(`/sys/bus/ccw/devices/${device}`), false);
    });
  });
}
