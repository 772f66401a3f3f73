// The calls of a function in a list.
import * as vscode from "vscode";
import { Client } from "./client";
import { Replays, command } from "./replays";

const MOST = 1000;

interface Calls {
  calls: { label: string; description: string; position: number; exit?: number; raised: boolean }[];
  total: number;
}

export function registerCalls(client: Client, replays: Replays): vscode.Disposable[] {
  return [
    command("calls", async (about: { recording: string; uri?: string; function: string }) => {
      const { recording, uri } = about;
      const params = { recording, uri, function: about.function, count: MOST };
      const found = await client.request<Calls>("retrostep/calls", params);
      const left = found.total - found.calls.length;
      const items = found.calls.map((call) => ({
        label: `$(${call.raised ? "error" : "symbol-method"}) ${call.label}`,
        description: call.description,
        position: call.position,
      }));
      const chosen = await vscode.window.showQuickPick(items, {
        title: `Calls of ${about.function}` + (left > 0 ? ` · the newest ${MOST.toLocaleString("en")}` : ""),
        placeHolder: "Filter by argument or result; Enter goes to the call's start",
        matchOnDescription: true,
      });
      if (chosen !== undefined) {
        await replays.goTo(recording, chosen.position);
      }
    }),
  ];
}
