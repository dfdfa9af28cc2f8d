import { existsSync, readdirSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import { serve } from "./serve.js";

const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

/** The site that `npm run docs` built, and a browser that has done nothing yet. */
export interface Site extends AsyncDisposable {
  readonly origin: string;
  readonly browser: Browser;
  /** All files, as paths below the origin; those that end in `.html` are pages. */
  readonly files: readonly string[];
  readonly pages: readonly string[];
}

export async function openSite(): Promise<Site> {
  if (!existsSync("site/index.html")) throw new Error("There is no site: npm run docs");
  if (!existsSync(executablePath)) {
    throw new Error(`There is no ${executablePath}: apt-get install chromium, or name a browser in CHROMIUM.`);
  }
  const files = readdirSync("site", { recursive: true, encoding: "utf8" }).map((path) => `/${path}`);
  const server = await serve("site");
  const browser = await chromium.launch({
    executablePath, // with an empty profile, which Playwright makes and removes
    args: [
      "--no-sandbox", // for root, and in containers
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  return {
    origin: server.origin,
    browser,
    files,
    pages: files.filter((path) => path.endsWith(".html")).sort(),
    async [Symbol.asyncDispose]() {
      await browser.close();
      await server[Symbol.asyncDispose]();
    },
  };
}
