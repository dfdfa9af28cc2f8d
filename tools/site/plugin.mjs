/**
 * A plugin for typedoc: it says what there is to document, which typedoc.json leaves to the lists of it; puts the guides into
 * their groups; and calls modules what a user imports.
 */
import { relative, resolve } from "node:path";
import { CommentTag, Converter, ReflectionKind } from "typedoc";
import { entries, specifierOf } from "../entries.mjs";
import { groups } from "./pages.mjs";

const root = resolve(import.meta.dirname, "../..");

/** @param {import("typedoc").Application} app */
export function load(app) {
  app.options.addReader({
    name: "what there is to document",
    order: 0,
    supportsPackages: false,
    read: (options) => {
      options.setValue("entryPoints", entries.map(({ source }) => resolve(root, source)));
      options.setValue("projectDocuments", Object.values(groups).flat().map((page) => resolve(root, page)));
      options.setValue("groupOrder", [...Object.keys(groups), "API", "Classes", "Functions", "*"]);
    },
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    const fileOf = (/** @type {import("typedoc").Reflection} */ reflection) =>
      relative(root, project.files.getReflectionPath(reflection) ?? root);

    for (const document of project.documents ?? []) {
      const file = fileOf(document);
      const group = Object.keys(groups).find((name) => groups[name]?.includes(file));
      if (group === undefined) throw new Error(`${file} is in no group of tools/site/pages.mjs.`);
      document.frontmatter["group"] = group;
      document.relevanceBoost = 15; // a long text scores low, and the search shows ten hits
      // Pages outside of docs/ have no front matter, as it would show where they are read.
      const [first] = document.content;
      const heading = first?.kind === "text" ? /^# (.+)$/mu.exec(first.text)?.[1] : undefined;
      if (!file.startsWith("docs/") && heading !== undefined) document.name = heading;
    }
    for (const module of project.getChildrenByKind(ReflectionKind.Module)) {
      const entry = entries.find(({ source }) => source === fileOf(module));
      if (entry === undefined) continue;
      module.name = specifierOf(entry);
      module.comment?.blockTags.push(new CommentTag("@group", [{ kind: "text", text: "API" }]));
      if (entry.subpath === ".") boost(module, 2);
    }
  });
}

/** @param {import("typedoc").Reflection} reflection @param {number} factor */
function boost(reflection, factor) {
  if (reflection.isDeclaration()) reflection.relevanceBoost = factor;
  reflection.traverse((child) => {
    boost(child, factor);
  });
}
