import { type Codec, Result } from "../../index.js";

/**
 * The plugin parameters of a vGPU: an open map. The order of its keys is that of the text, both ways. The known keys are
 * numbers; any other key can be there as well, and its value is a string when it is read. A key whose value is
 * `undefined` is not written.
 *
 * What the keys do is said as far as NVIDIA documents it ("Virtual GPU Software User Guide"), and marked where it is from
 * elsewhere: read in NVIDIA/open-gpu-kernel-modules, `src/nvidia/arch/nvalloc/unix/src/os-hypervisor.c`, or seen on public
 * hosts.
 */
export interface VgpuParams {
  /** `0` takes the limit of the frame rate away, `1` sets it. */
  readonly frame_rate_limiter?: number | undefined;
  /** `1` switches the console off that the host offers through VNC. */
  readonly disable_vnc?: number | undefined;
  /** `1` allows unified memory, which CUDA programs may need. */
  readonly enable_uvm?: number | undefined;
  /** `1` allows CUDA debuggers. */
  readonly enable_debugging?: number | undefined;
  /** `1` allows CUDA profilers. */
  readonly enable_profiling?: number | undefined;
  /** As public hosts use it: the period in which the console's picture is copied, in microseconds, from 5000. */
  readonly intervaltime?: number | undefined;
  /** As public hosts use it: the same for the console's VGA picture, in microseconds, from 5000. */
  readonly vgaintervaltime?: number | undefined;
  /** A number whose meaning is known by its name alone. */
  readonly loglevel?: number | undefined;
  /** Read in the driver: `0` for 32-bit address registers (BARs); any other number, or none, for 64-bit ones. */
  readonly address64?: number | undefined;
  /**
   * Read in the driver: any number but `0` makes BAR 1 as large as the GPU can share out, in place of the type's own
   * size.
   */
  readonly override_bar1_size?: number | undefined;
  /** Read in the driver, for GPUs without SR-IOV: any number but `0` maps the registers of the GPU's timer for the guest. */
  readonly direct_gpu_timer_access?: number | undefined;
  /** Any other key, its value as it stands in the text. */
  readonly [key: string]: string | number | undefined;
}

/** What the driver takes in one write, the final newline included. */
const BYTES_MAX = 1024;
const CLEARING = " ";

const NUMBERS: ReadonlySet<string> = new Set([
  "frame_rate_limiter",
  "disable_vnc",
  "enable_uvm",
  "enable_debugging",
  "enable_profiling",
  "intervaltime",
  "vgaintervaltime",
  "loglevel",
  "address64",
  "override_bar1_size",
  "direct_gpu_timer_access",
]);

// Printable ASCII without blanks and commas. A key that is an index, such as `7`, would not keep its place in an object.
const KEY = /^[A-Za-z_][!-+\--<>-~]*$/;
const VALUE = /^[!-+\--~]*$/;
const NUMBER = /^([+-]?)(?:(0x[0-9a-f]+)|0([0-7]+)|(0|[1-9][0-9]*))$/i;

/**
 * The text of the file `nvidia/vgpu_params`: `frame_rate_limiter=0,disable_vnc=1`. Blanks do not count. The numbers of
 * known keys may be decimal, hexadecimal (`0x1f`) or octal (`017`), and are written in decimal.
 *
 * A write replaces all that was set before. An empty map is written as a single blank, which clears: the driver takes
 * no empty text. More than the driver's 1024 bytes are refused. A known key without a number, a key that comes twice and
 * a part that is no pair are reasons not to understand a text.
 * Source: NVIDIA's `nvidia-vgpu-vfio.c`, `vgpu_params_store`, as public copies of it have it.
 *
 * @example
 * ```ts
 * import { vgpuParams } from "vfio-mdev/nvidia";
 *
 * const params = vgpuParams.decode("frame_rate_limiter=0, plugin_hint=fast\n").getOrThrow();
 * console.log(params.frame_rate_limiter, params["plugin_hint"]); // prints: 0 fast
 * console.log(vgpuParams.encode({ ...params, disable_vnc: 1 }).getOrThrow());
 * // prints: frame_rate_limiter=0,plugin_hint=fast,disable_vnc=1
 * ```
 */
export const vgpuParams: Codec<VgpuParams> = {
  decode: (raw) => {
    const params = new Map<string, string | number>();
    for (const part of raw.replace(/\s/g, "").split(",")) {
      if (part === "") continue;
      const at = part.indexOf("=");
      const [key, text] = [part.slice(0, at), part.slice(at + 1)];
      if (at === -1 || !KEY.test(key) || !VALUE.test(text))
        return Result.error(`holds ${quote(part)}, which is no pair such as frame_rate_limiter=0`);
      if (params.has(key)) return Result.error(`holds ${quote(key)} twice`);
      const value = NUMBERS.has(key) ? parseNumber(text) : text;
      if (value === undefined) return Result.error(`has no number for ${key}, but ${quote(text)}`);
      params.set(key, value);
    }
    return Result.ok(Object.freeze(Object.fromEntries(params)));
  },

  encode: (params) => {
    if (typeof params !== "object" || (params as unknown) === null) return Result.error("is no map");
    const pairs: string[] = [];
    for (const [key, value] of Object.entries(params)) {
      if (value === undefined) continue;
      if (!KEY.test(key)) return Result.error(`has a key ${quote(key)} that cannot be written`);
      const fits =
        typeof value === "string"
          ? !NUMBERS.has(key) && VALUE.test(value)
          : typeof value === "number" && Number.isSafeInteger(value);
      if (!fits) return Result.error(`has a ${key} that cannot be written: ${quote(String(value))}`);
      pairs.push(`${key}=${value}`);
    }
    const text = pairs.join(",");
    if (text.length + 1 > BYTES_MAX) return Result.error(`is longer than the driver's ${BYTES_MAX} bytes`);
    return Result.ok(text === "" ? CLEARING : text);
  },
};

/** A number as C understands it when it is told no base. */
function parseNumber(text: string): number | undefined {
  const [, sign, hexadecimal, octal, decimal] = NUMBER.exec(text) ?? [];
  const digits = hexadecimal ?? decimal;
  const size = octal === undefined ? Number(digits) : Number.parseInt(octal, 8);
  if (!Number.isSafeInteger(size)) return undefined;
  return sign === "-" && size !== 0 ? -size : size;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
