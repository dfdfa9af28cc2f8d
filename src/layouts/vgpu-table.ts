import { Result } from "typescript-result";

const ROW = /^\s*([1-9][0-9]{0,8})\s*:\s*(.*?)\s*$/;
const HEADER = /^\s*ID\s*:/i;

/**
 * The types that can be created on a function now, by their numbers: the file `nvidia/creatable_vgpu_types`. Rows are
 * `1145  : NVIDIA L40S-1B`, below a header that some driver versions leave out; names hold blanks, and may hold colons.
 */
export function parseVgpuTable(raw: string): Result<ReadonlyMap<number, string>, string> {
  const types = new Map<number, string>();
  for (const [at, line] of raw.split("\n").entries()) {
    if (line.trim() === "" || (at === 0 && HEADER.test(line))) continue;
    const [, number, name] = ROW.exec(line) ?? [];
    if (number === undefined || name === undefined || name === "") {
      return Result.error(`has a line ${at + 1} that is not \`<number> : <name>\``);
    }
    if (types.has(Number(number))) return Result.error(`has the type ${number} twice`);
    types.set(Number(number), name);
  }
  return Result.ok(types);
}
