// Starts `retrostep dap` for debugging sessions, and records the open file where there is no launch.json.
import * as vscode from "vscode";
import { program, tellMissing } from "./program";

export const TYPE = "retrostep";

export function registerAdapter(): vscode.Disposable[] {
  return [
    vscode.debug.registerDebugAdapterDescriptorFactory(TYPE, { createDebugAdapterDescriptor }),
    vscode.debug.registerDebugConfigurationProvider(TYPE, {
      resolveDebugConfiguration,
      resolveDebugConfigurationWithSubstitutedVariables,
    }),
  ];
}

/** The adapter works in the workspace's folder, so that programs start there and recordings are kept there. */
function createDebugAdapterDescriptor(session: vscode.DebugSession): vscode.DebugAdapterDescriptor {
  const found = program(session.workspaceFolder?.uri);
  if ("missing" in found) {
    throw new Error(found.missing);
  }
  return new vscode.DebugAdapterExecutable(found.program, ["dap"], { cwd: found.cwd });
}

/** F5 without a launch.json records the open file. */
function resolveDebugConfiguration(
  _folder: vscode.WorkspaceFolder | undefined,
  configuration: vscode.DebugConfiguration,
): vscode.DebugConfiguration {
  if (configuration.type || configuration.request || configuration.name) {
    return configuration;
  }
  return recordFile("${file}");
}

export function recordFile(file: string): vscode.DebugConfiguration {
  return { type: TYPE, request: "launch", name: "Record and replay this file", program: file };
}

/** Without a program nothing is started, and the message says what helps. */
function resolveDebugConfigurationWithSubstitutedVariables(
  folder: vscode.WorkspaceFolder | undefined,
  configuration: vscode.DebugConfiguration,
): vscode.DebugConfiguration | undefined {
  const found = program(folder?.uri);
  if ("missing" in found) {
    void tellMissing(found.missing);
    return undefined;
  }
  return configuration;
}
