import { statSync } from "node:fs";
import { dirname } from "node:path";
import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openSite, type Site } from "./site.js";

const desktop = { viewport: { width: 1280, height: 900 } };
const phone = { viewport: { width: 390, height: 844 }, isMobile: true };

describe("the documentation site, in a browser", () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite();
  });
  afterAll(() => site[Symbol.asyncDispose]());

  /** A page, and what went wrong on it: messages of the console, exceptions, requests that failed or left localhost. */
  async function open(options: BrowserContextOptions) {
    const page = await site.browser.newPage(options);
    const troubles: string[] = [];
    const note = (what: string) => troubles.push(`${new URL(page.url()).pathname}: ${what}`);
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") note(message.text());
    });
    page.on("pageerror", (error) => note(error.message));
    page.on("requestfailed", (request) => {
      const reason = request.failure()?.errorText ?? "unknown";
      if (reason !== "net::ERR_ABORTED") note(`${reason} for ${request.url()}`); // that is us, going to the next page
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(site.origin)) note(`left for ${request.url()}`);
    });
    page.on("response", (response) => {
      if (!response.ok()) note(`${String(response.status())} for ${response.url()}`);
    });
    return { page, troubles };
  }

  /**
   * Every guide; of the pages of the API, which come out of one template, the longest and those with the longest names.
   * All of them with VFIO_MDEV_PAGES=all.
   */
  function pagesToSee(): readonly string[] {
    if (process.env["VFIO_MDEV_PAGES"] === "all") return site.pages;
    const kinds = new Set(site.pages.map((path) => dirname(path)));
    return [...kinds].flatMap((kind) => {
      const paths = site.pages.filter((path) => dirname(path) === kind);
      if (["/", "/documents", "/modules"].includes(kind)) return paths;
      const longest = paths.toSorted((a, b) => statSync(`site${b}`).size - statSync(`site${a}`).size);
      const named = paths.toSorted((a, b) => b.length - a.length);
      return [...new Set([...longest.slice(0, 3), ...named.slice(0, 2)])];
    });
  }

  test("pages render, fit a desktop and a phone, and show their pictures", async () => {
    const paths = pagesToSee();
    const found = await Promise.all([0, 1, 2].map((tab) => see(paths.filter((_, index) => index % 3 === tab))));
    expect(found.flat()).toEqual([]);
  });

  async function see(paths: readonly string[]): Promise<string[]> {
    const { page, troubles } = await open(desktop);
    for (const path of paths) {
      await page.setViewportSize(desktop.viewport);
      await page.goto(site.origin + path);
      await page.waitForFunction(() => document.body.checkVisibility()); // typedoc hides a page until its theme is there
      const { heading, unseen } = await page.evaluate(whatIsShown);
      if (heading === "") troubles.push(`${path}: no heading`);
      troubles.push(...unseen.map((picture) => `${path}: ${picture} is not seen`));
      for (const { viewport } of [desktop, phone]) {
        await page.setViewportSize(viewport);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (overflow > 0) troubles.push(`${path}: ${String(overflow)} pixels wider than ${String(viewport.width)}`);
      }
    }
    await page.close();
    return troubles;
  }

  test.each(["light", "dark"] as const)("the pictures of the concepts have their colours, %s", async (colorScheme) => {
    const { page, troubles } = await open({ ...desktop, colorScheme });
    await page.goto(`${site.origin}/documents/Concepts.html`);
    const pictures = await page.evaluate(colours);
    expect(pictures.length).toBe(2);
    for (const { background, distinct } of pictures) {
      expect(background > 127).toBe(colorScheme === "light");
      expect(distinct).toBeGreaterThan(20);
    }
    expect(troubles).toEqual([]);
    await page.close();
  });

  test.each([
    ["a class", "MdevHost", "MdevHost", "/classes/vfio-mdev.MdevHost.html"],
    ["a word of a guide", "container", "File systems", "/documents/File_systems.html"],
    ["a guide by its title", "Getting started", "Getting started", "/documents/Getting_started.html"],
  ])("the search finds %s", async (_, words, title, path) => {
    const { page, troubles } = await open(desktop);
    await page.goto(`${site.origin}/index.html`);
    const hit = await search(page, words, title);
    await hit.click();
    await page.waitForURL((url) => decodeURIComponent(url.pathname) === path);
    expect(await page.locator("h1").first().textContent()).toContain(title);
    expect(troubles).toEqual([]);
    await page.close();
  });

  test("a phone reaches the navigation", async () => {
    const { page, troubles } = await open(phone);
    await page.goto(`${site.origin}/index.html`);
    await page.locator("#tsd-toolbar-menu-trigger").click();
    await page.locator("#tsd-nav-container summary", { hasText: "Start here" }).click();
    await page.locator("#tsd-nav-container a", { hasText: "Concepts" }).click();
    await page.waitForURL(/Concepts\.html$/u);
    expect(troubles).toEqual([]);
    await page.close();
  });
});

async function search(page: Page, words: string, title: string) {
  await page.locator("#tsd-search-trigger").click();
  await page.locator("#tsd-search-input").pressSequentially(words);
  const hit = page.locator("#tsd-search-results a", { hasText: title }).first();
  await hit.waitFor();
  return hit;
}

/** Runs in the browser. */
async function whatIsShown() {
  const unseen: string[] = [];
  for (const picture of document.images) {
    await picture.decode().catch(() => undefined);
    const { width, height } = picture.getBoundingClientRect();
    if (picture.naturalWidth === 0 || width === 0 || height === 0) unseen.push(picture.src);
  }
  return { heading: document.querySelector("h1")?.innerText ?? "", unseen };
}

/** Runs in the browser: how bright the ground of each picture is, and how many colours are on it. */
async function colours() {
  const found = [];
  for (const picture of document.images) {
    await picture.decode();
    const canvas = new OffscreenCanvas(picture.naturalWidth, picture.naturalHeight);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    if (context === null) throw new Error("no canvas");
    context.drawImage(picture, 0, 0);
    const pixels = new Uint32Array(context.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
    const [background = 0] = context.getImageData(canvas.width - 12, 12, 1, 1).data;
    found.push({ background, distinct: new Set(pixels).size });
  }
  return found;
}
