// Where the extension for VS Code looks for the program, with a stand-in for the editor's own module.
// Usage: node extension.js EXTENSION FOLDER
"use strict";
const assert = require("assert");
const fs = require("fs");
const Module = require("module");
const path = require("path");

const [extension, folder] = process.argv.slice(2);
let wanted = "retrostep";
const registered = {};
const vscode = {
  debug: {
    registerDebugAdapterDescriptorFactory: (type, factory) => Object.assign(registered, { type, ...factory }),
    registerDebugConfigurationProvider: (_type, provider) => Object.assign(registered, provider),
  },
  workspace: { getConfiguration: () => ({ get: () => wanted }) },
  DebugAdapterExecutable: class {
    constructor(command, args, options) {
      Object.assign(this, { command, args, options });
    }
  },
};
const load = Module._load;
Module._load = (name, ...rest) => (name === "vscode" ? vscode : load(name, ...rest));
require(extension).activate({ subscriptions: [] });
assert.strictEqual(registered.type, "retrostep");

const workspace = path.join(folder, "workspace");
const session = { workspaceFolder: { uri: { scheme: "file", fsPath: workspace } } };
const adapter = () => registered.createDebugAdapterDescriptor(session);

function program(...names) {
  const file = path.join(folder, ...names);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, "", { mode: 0o755 });
  return file;
}

process.env.HOME = folder;
delete process.env.CARGO_HOME;
process.env.PATH = path.join(folder, "on-path");
assert.throws(adapter, /was not found on PATH. Install it or set retrostep.path/);

const installed = program(".cargo", "bin", "retrostep");
assert.deepStrictEqual({ ...adapter() }, { command: installed, args: ["dap"], options: { cwd: workspace } });

const onPath = program("on-path", "retrostep");
assert.strictEqual(adapter().command, onPath);

wanted = "~/elsewhere/retrostep";
assert.throws(adapter, /there is no program ~\/elsewhere\/retrostep/);
assert.strictEqual(program("elsewhere", "retrostep"), adapter().command);
wanted = "build/retrostep";
assert.strictEqual(program("workspace", "build", "retrostep"), adapter().command);
fs.chmodSync(adapter().command, 0o644);
assert.throws(adapter, /there is no program build\/retrostep/);

const given = { type: "retrostep", request: "attach", name: "Replay", recording: "last" };
assert.strictEqual(registered.resolveDebugConfiguration(undefined, given), given);
assert.strictEqual(registered.resolveDebugConfiguration(undefined, {}).program, "${file}");
