// Bundles the extension into dist/extension.js, and beside it the licences of what is bundled.
"use strict";
const esbuild = require("esbuild");
const fs = require("fs");
const path = require("path");

const result = esbuild.buildSync({
  entryPoints: ["src/extension.ts"],
  outfile: "dist/extension.js",
  bundle: true,
  minify: true,
  sourcemap: false,
  metafile: true,
  platform: "node",
  target: "node20",
  external: ["vscode"],
});

const packages = new Set();
for (const input of Object.keys(result.metafile.inputs)) {
  const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
  if (found) {
    packages.add(found[1]);
  }
}
const licences = [...packages].sort().map((folder) => {
  const { name, version, license } = JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8"));
  const file = fs.readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined) {
    throw new Error(`${name} has no licence file`);
  }
  return `${name} ${version} (${license})\n\n${fs.readFileSync(path.join(folder, file), "utf8").trim()}\n`;
});
fs.writeFileSync("dist/THIRD-PARTY-LICENSES.txt", licences.join(`\n${"-".repeat(72)}\n\n`));
