import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openSite, type Site } from "./site.js";

/** What one page has, with all links as absolute addresses. */
interface PageLinks {
  readonly ids: readonly string[];
  readonly links: readonly string[];
}

describe("links of the documentation site", () => {
  let site: Site;
  const found = new Map<string, PageLinks>();

  beforeAll(async () => {
    site = await openSite();
    const page = await site.browser.newPage();
    await page.goto(`${site.origin}/index.html`);
    // The browser's own parser reads each page; the navigation, which a script makes, is that of the page it stands on.
    for (const path of site.pages) found.set(path, await page.evaluate(linksOf, site.origin + path));
    await page.locator("#tsd-nav-container a").first().waitFor({ state: "attached" });
    const navigation = await page.$$eval("#tsd-nav-container a", (links) =>
      links.map((link) => (link as HTMLAnchorElement).href),
    );
    found.set("the navigation", { ids: [], links: navigation });
  });
  afterAll(() => site[Symbol.asyncDispose]());

  test("lead to a page that is there, and to a place on it that is there", () => {
    const files = new Set(site.files);
    const missing: string[] = [];
    for (const [from, { links }] of found) {
      for (const link of new Set(links)) {
        const { origin, pathname, hash } = new URL(link);
        if (origin !== site.origin) continue;
        const path = decodeURIComponent(pathname.replace(/\/$/u, "/index.html"));
        const target = found.get(path);
        const isThere =
          target === undefined
            ? files.has(path)
            : hash === "" || target.ids.includes(decodeURIComponent(hash.slice(1)));
        if (!isThere) missing.push(`${from} → ${path + hash}`);
      }
    }
    expect(missing).toEqual([]);
    expect(found.size).toBeGreaterThan(100);
  });

  test("to other sites are https", () => {
    const others = [...found.values()].flatMap(({ links }) => links).map((link) => new URL(link));
    const strange = others.filter(({ origin, protocol }) => origin !== site.origin && protocol !== "https:");
    expect(strange.map(({ href }) => href)).toEqual([]);
  });

  test("the navigation has every guide", () => {
    const guides = site.pages.filter((path) => path.startsWith("/documents/"));
    const listed = found.get("the navigation")?.links.map((link) => decodeURIComponent(new URL(link).pathname));
    expect(listed).toEqual(expect.arrayContaining(guides));
  });
});

/** Runs in the browser. */
async function linksOf(address: string): Promise<PageLinks> {
  const html = await (await fetch(address)).text();
  const page = new DOMParser().parseFromString(html, "text/html");
  const links = [...page.querySelectorAll("[href], [src]")]
    .map((element) => element.getAttribute("href") ?? element.getAttribute("src") ?? "")
    .filter((link) => link !== "" && !link.startsWith("javascript:"));
  return {
    ids: [...page.querySelectorAll("[id]")].map(({ id }) => id),
    links: links.map((link) => new URL(link, address).href),
  };
}
