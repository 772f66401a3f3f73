// Starts `retrostep dap` for VS Code; everything else is done by the program.
"use strict";
const fs = require("fs");
const os = require("os");
const path = require("path");
const vscode = require("vscode");

/** The program that is meant by a path, or by a name on PATH or where `cargo install` puts programs. */
function findProgram(name, folder) {
  if (name.includes("/")) {
    const file = name.startsWith("~/") ? path.join(os.homedir(), name.slice(2)) : path.resolve(folder, name);
    return isProgram(file) ? file : undefined;
  }
  const cargo = process.env.CARGO_HOME || path.join(os.homedir(), ".cargo");
  const folders = (process.env.PATH || "").split(path.delimiter).concat(path.join(cargo, "bin"));
  return folders
    .filter((folder) => folder !== "")
    .map((folder) => path.join(folder, name))
    .find(isProgram);
}

function isProgram(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/** The adapter works in the workspace's folder, so that programs start there and recordings are kept there. */
function createDebugAdapterDescriptor(session) {
  const folder = session.workspaceFolder?.uri;
  const cwd = folder?.scheme === "file" ? folder.fsPath : os.homedir();
  const wanted = vscode.workspace.getConfiguration("retrostep", folder).get("path") || "retrostep";
  const program = findProgram(wanted, cwd);
  if (program === undefined) {
    throw new Error(
      wanted === "retrostep"
        ? "Retrostep's program was not found on PATH. Install it or set retrostep.path."
        : `Retrostep's program was not found: there is no program ${wanted}. Correct retrostep.path.`,
    );
  }
  return new vscode.DebugAdapterExecutable(program, ["dap"], { cwd });
}

/** F5 without a launch.json records the open file. */
function resolveDebugConfiguration(_folder, configuration) {
  if (configuration.type || configuration.request || configuration.name) {
    return configuration;
  }
  return { type: "retrostep", request: "launch", name: "Record and replay this file", program: "${file}" };
}

exports.activate = (context) => {
  context.subscriptions.push(
    vscode.debug.registerDebugAdapterDescriptorFactory("retrostep", { createDebugAdapterDescriptor }),
    vscode.debug.registerDebugConfigurationProvider("retrostep", { resolveDebugConfiguration }),
  );
};
