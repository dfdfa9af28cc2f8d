// Runs inside a guest that has a Debian with daemons beside it, as root, against the real kernel (see run.mjs).
import { afterEach, describe } from "node:test";
import { release } from "node:os";
import { MdevHost } from "../../src/index.js";
import { container } from "./container.js";
import { libvirt } from "./libvirt.js";
import { killAll } from "./processes.js";

describe(`managers on the real kernel ${release()}`, () => {
  afterEach(killAll);
  const host = new MdevHost();
  libvirt(host);
  container(host);
});
