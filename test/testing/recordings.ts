// The raw answers of a real Linux 6.1.
import { readFileSync } from "node:fs";
import type { Recording } from "../../src/recording/index.js";

export interface RecordedParent {
  readonly parent: {
    readonly name: string;
    readonly path: string;
    readonly driver: string;
    readonly types: readonly string[];
  };
  readonly steps: readonly { readonly id: string; readonly recording: Recording }[];
}

export interface Outcome {
  readonly ok: boolean;
  readonly value?: unknown;
  readonly code?: string;
  readonly errno?: number;
  readonly syscall?: string;
  readonly message?: string;
}

export interface RecordedOperation {
  readonly group: string;
  readonly about: string;
  readonly api?: string;
  readonly path?: string;
  readonly data?: string | readonly string[];
  readonly outcome: Outcome;
  readonly devices?: readonly string[] | number;
  readonly available?: Readonly<Record<string, string>>;
  readonly inDevice?: readonly string[];
  readonly created?: number;
  readonly availableBeforeEach?: readonly Readonly<Record<string, string>>[];
  readonly byCall?: Readonly<Record<string, Outcome>>;
  readonly tally?: Readonly<Record<string, number>>;
  readonly missing?: Readonly<Record<string, number>>;
  readonly listings?: Readonly<Record<string, number>>;
  readonly mdevBus?: readonly string[];
  readonly inUse?: { readonly descriptors: readonly string[]; readonly openingTheGroupToo: string };
  readonly meanwhile?: {
    readonly devices: readonly string[];
    readonly inDevice: string;
    readonly inDeviceByRealPath: readonly string[];
    readonly inTypeDevices: readonly string[];
    readonly groups: readonly string[];
    readonly devVfio: readonly string[];
    readonly available: Readonly<Record<string, string>>;
    readonly second: readonly string[];
  };
  readonly afterClose?: {
    readonly devices: readonly string[];
    readonly available: Readonly<Record<string, string>>;
  };
}

const folder = new URL("../recordings/", import.meta.url);
const load = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`x86_64-6.1-${name}.json`, folder), "utf8"));

export const recordedParent = (name: string): RecordedParent => load(name) as RecordedParent;

export const recordedOperations = (load("operations") as { operations: RecordedOperation[] }).operations;

/** The UUIDs of the recorder: `uuid(1)` is the first device of the trees. */
export const uuid = (n: number): string => `83b8f4f2-509f-382f-3c1e-${(0xe6bfe0fa1000 + n).toString(16)}`;
