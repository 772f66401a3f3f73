// Where the extension for VS Code looks for the program, and that it describes itself truly, with a stand-in for the
// editor's own module.
// Usage: node extension.js EXTENSION FOLDER, where EXTENSION is the bundle, dist/extension.js
"use strict";
const assert = require("assert");
const childProcess = require("child_process");
const fs = require("fs");
const Module = require("module");
const path = require("path");

const [extension, folder] = process.argv.slice(2);
let wanted = "retrostep";
const registered = {};
const commands = [];
const told = [];
/** What is not looked at: every member is the same again, to be called, made and inherited from. */
const anything = new Proxy(class {}, {
  get: (target, name) => (name === "prototype" ? target.prototype : name === Symbol.iterator ? undefined : anything),
  apply: () => anything,
  construct: () => anything,
  set: () => true,
});
/** A module of the editor with some members that are looked at. */
const standIn = (members) => new Proxy(members, { get: (target, name) => (name in target ? target[name] : anything) });
const vscode = standIn({
  version: "1.90.0",
  // The bundle copies the members of the module that there are.
  window: standIn({ showErrorMessage: (...args) => Promise.resolve(void told.push(args)) }),
  languages: anything,
  Disposable: anything,
  EventEmitter: anything,
  StatusBarAlignment: anything,
  commands: standIn({ registerCommand: (id) => commands.push(id) && anything }),
  debug: standIn({
    registerDebugAdapterDescriptorFactory: (type, factory) => Object.assign(registered, { type, ...factory }),
    registerDebugConfigurationProvider: (_type, provider) => Object.assign(registered, provider),
    activeDebugSession: undefined,
  }),
  // Nothing is started in a workspace that is not trusted.
  workspace: standIn({ getConfiguration: () => ({ get: () => wanted }), isTrusted: false, workspaceFolders: [] }),
  DebugAdapterExecutable: class {
    constructor(command, args, options) {
      Object.assign(this, { command, args, options });
    }
  },
});
const load = Module._load;
for (const start of ["spawn", "fork", "execFile"]) {
  childProcess[start] = () => assert.fail("something is started in a workspace that is not trusted");
}
Module._load = (name, ...rest) => (name === "vscode" ? vscode : load(name, ...rest));
require(extension).activate({ subscriptions: [] });
assert.strictEqual(registered.type, "retrostep");

// Every command that is offered exists, and every one that a menu or a key names is offered.
const { contributes } = JSON.parse(fs.readFileSync(path.join(path.dirname(extension), "../package.json"), "utf8"));
const offered = contributes.commands.map(({ command }) => command);
assert.deepStrictEqual(offered.filter((id) => !commands.includes(id)), []);
const named = [...Object.values(contributes.menus).flat(), ...contributes.keybindings].map(({ command }) => command);
const isBuiltIn = (id) => id.startsWith("workbench.");
assert.deepStrictEqual(named.filter((id) => !offered.includes(id) && !isBuiltIn(id)), []);
for (const { icon } of contributes.commands) {
  for (const file of typeof icon === "object" ? Object.values(icon) : []) {
    assert.ok(fs.existsSync(path.join(path.dirname(extension), "..", file)), file);
  }
}

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
const start = () => registered.resolveDebugConfigurationWithSubstitutedVariables(undefined, { type: "retrostep" });
assert.strictEqual(start(), undefined);
assert.deepStrictEqual(told.pop().slice(1), ["Check Setup", "Open Settings"]);

const installed = program(".cargo", "bin", "retrostep");
assert.deepStrictEqual({ ...adapter() }, { command: installed, args: ["dap"], options: { cwd: workspace } });

assert.deepStrictEqual(start(), { type: "retrostep" });
assert.deepStrictEqual(told, []);

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
