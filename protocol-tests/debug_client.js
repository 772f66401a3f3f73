// One whole conversation driven by Microsoft's DebugClient.
// Usage: node debug_client.js BINARY PYTHON PROGRAM PRICING RAISE_LINE APPEND_LINE
"use strict";
const assert = require("assert");
const { DebugClient } = require("@vscode/debugadapter-testsupport");

const [binary, python, program, pricing, raiseLine, appendLine] = process.argv.slice(2);
const client = new DebugClient(binary, "dap", "retrostep");
client.defaultTimeout = 60000;

/** Sends a request that moves and waits for the stop it leads to. */
async function go(request) {
  const stopped = client.waitForEvent("stopped");
  await request;
  return (await stopped).body;
}

async function top(threadId) {
  const stack = await client.stackTraceRequest({ threadId, startFrame: 0, levels: 20 });
  return stack.body.stackFrames;
}

async function locals(frameId) {
  const scopes = (await client.scopesRequest({ frameId })).body.scopes;
  const scope = scopes.find((scope) => scope.name === "Locals");
  const answer = await client.variablesRequest({ variablesReference: scope.variablesReference });
  return Object.fromEntries(answer.body.variables.map((variable) => [variable.name, variable]));
}

async function main() {
  await client.start();
  const stdout = client.assertOutput("stdout", "1 Omar 2 117.45");
  const [, , stopped] = await Promise.all([
    client.configurationSequence(),
    client.launch({ type: "retrostep", program, python, stopAt: "exception" }),
    client.waitForEvent("stopped", 60000),
  ]);
  await stdout;
  assert.strictEqual(stopped.body.reason, "exception");
  assert.match(stopped.body.description, /ValueError/);
  const threadId = stopped.body.threadId;
  const threads = (await client.threadsRequest()).body.threads;
  assert.ok(threads.some((thread) => thread.id === threadId));

  let frames = await top(threadId);
  assert.strictEqual(frames[0].line, Number(raiseLine));
  client.assertPath(frames[0].source.path, pricing, "the raise");
  assert.strictEqual(frames.length, 3);
  const info = (await client.exceptionInfoRequest({ threadId })).body;
  assert.match(info.description, /total below zero: -18\.75/);
  let values = await locals(frames[0].id);
  assert.strictEqual(values.codes.indexedVariables, 6);
  const elements = await client.variablesRequest({
    variablesReference: values.codes.variablesReference, filter: "indexed", start: 4, count: 2,
  });
  assert.deepStrictEqual(elements.body.variables.map((v) => v.value), ["'LOYAL20'", "'LOYAL20'"]);

  const set = await client.setBreakpointsRequest({
    source: { path: pricing }, breakpoints: [{ line: Number(appendLine) }],
  });
  assert.deepStrictEqual(set.body.breakpoints.map((b) => b.verified), [true]);
  let hits = 0;
  for (;;) {
    const stop = await go(client.reverseContinueRequest({ threadId }));
    if (stop.reason !== "breakpoint") {
      assert.match(stop.description, /^Start of/);
      break;
    }
    hits += 1;
    frames = await top(stop.threadId);
    assert.strictEqual(frames[0].line, Number(appendLine));
    const answer = await client.evaluateRequest({
      expression: "len(codes)", frameId: frames[0].id, context: "watch",
    });
    assert.strictEqual(answer.body.result, String(6 - hits));
  }
  assert.strictEqual(hits, 6);

  let stop = await go(client.continueRequest({ threadId }));
  assert.strictEqual(stop.reason, "breakpoint");
  frames = await top(stop.threadId);
  const first = frames[0].line;
  await go(client.nextRequest({ threadId }));
  stop = await go(client.stepBackRequest({ threadId }));
  assert.strictEqual((await top(stop.threadId))[0].line, first);
  await go(client.stepOutRequest({ threadId }));
  await go(client.stepInRequest({ threadId }));
  await assert.rejects(client.setVariableRequest({ variablesReference: 1, name: "codes", value: "[]" }));
  const position = await client.customRequest("retrostep/position", {});
  assert.ok(position.body.position < position.body.end);
  await client.setBreakpointsRequest({ source: { path: pricing }, breakpoints: [] });
  stop = await go(client.continueRequest({ threadId }));
  assert.match(stop.description, /^End of|ValueError/);
  await client.disconnectRequest({});
  await client.stop();
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
