// @ts-check
/**
 * The files of another process, over the channel that `fork` makes: how a program manages a machine that is not its own.
 * `serve` answers for a file system, `connect` is one.
 *
 * @typedef {import("vfio-mdev").FileSystem} FileSystem
 * @typedef {"readFile" | "writeFile" | "readdir" | "readlink" | "lstat"} Call
 * @typedef {{ id: number; call: Call; path: string; text: string }} Question
 */

/** @param {import("node:child_process").ChildProcess} child @param {FileSystem} fs @param {(question: Question) => void} [before] */
export function serve(child, fs, before) {
  const calls = {
    readFile: (/** @type {Question} */ { path }) => fs.readFile(path, "utf8"),
    writeFile: (/** @type {Question} */ { path, text }) => fs.writeFile(path, text, { flag: 1 }),
    readdir: (/** @type {Question} */ { path }) => fs.readdir(path),
    readlink: (/** @type {Question} */ { path }) => fs.readlink(path),
    lstat: async (/** @type {Question} */ { path }) => {
      const stat = await fs.lstat(path);
      return { mode: stat.mode, ino: stat.ino };
    },
  };
  child.on("message", async (/** @type {any} */ question) => {
    before?.(question);
    const answer = await calls[/** @type {Question} */ (question).call](question).then(
      (value) => ({ id: question.id, value }),
      ({ code, errno, message }) => ({ id: question.id, error: { code, errno, message } }),
    );
    child.send(answer, () => undefined); // it may have been killed meanwhile
  });
}

/** @returns {FileSystem} */
export function connect() {
  let id = 0;
  const waiting = new Map();
  process.on("message", (/** @type {any} */ { id: of, value, error }) => {
    const { resolve, reject } = waiting.get(of);
    waiting.delete(of);
    if (error === undefined) resolve(value);
    else reject(Object.assign(new Error(error.message), error));
  });
  const ask = (/** @type {Call} */ call, /** @type {string} */ path, text = "") =>
    new Promise((resolve, reject) => {
      waiting.set(++id, { resolve, reject });
      process.send?.({ id, call, path, text });
    });
  return {
    readFile: (path) => ask("readFile", path),
    writeFile: (path, text) => ask("writeFile", path, text),
    readdir: (path) => ask("readdir", path),
    readlink: (path) => ask("readlink", path),
    lstat: async (path) => {
      const { mode, ino } = await ask("lstat", path);
      const is = (/** @type {number} */ kind) => (mode & 0o170000) === kind;
      return {
        mode,
        ino,
        isDirectory: () => is(0o040000),
        isFile: () => is(0o100000),
        isSymbolicLink: () => is(0o120000),
      };
    },
  };
}
