-- A conversation of Neovim's own client with the language server: run with `nvim --clean --headless -l`.
--
-- Arguments: the retrostep program, the file to open, its recording, the line that is marked (from 1),
-- the position to replay, and what the marked line shows over the whole run and at that position.
local retrostep, file, recording, marked, position, overall, there = unpack(arg)
marked = tonumber(marked)
local LIMIT = 10000

local function fail(what)
  io.stderr:write('failed: ' .. what .. '\n')
  os.exit(1)
end

local function check(condition, what)
  if not condition then
    fail(what)
  end
end

local function wait(what, condition)
  if not vim.wait(LIMIT, condition, 5) then
    local hints = vim.lsp.inlay_hint.get({ bufnr = 0 })
    fail('no ' .. what .. ' within ' .. LIMIT .. ' ms; hints: ' .. vim.inspect(hints))
  end
end

local refreshed = 0
local refresh = vim.lsp.handlers['workspace/inlayHint/refresh']
vim.lsp.handlers['workspace/inlayHint/refresh'] = function(...)
  refreshed = refreshed + 1
  return refresh(...)
end

vim.cmd.edit(vim.fn.fnameescape(file))
local buffer = vim.api.nvim_get_current_buf()
local id = vim.lsp.start({
  name = 'retrostep',
  cmd = { retrostep, 'lsp' },
  root_dir = vim.fs.root(file, '.git'),
  -- What Neovim 0.11 can do and does not say by itself.
  capabilities = vim.tbl_deep_extend('force', vim.lsp.protocol.make_client_capabilities(), {
    workspace = { inlayHint = { refreshSupport = true }, codeLens = { refreshSupport = true } },
  }),
})
check(id, 'the server does not start')
wait('attached client', function()
  local client = vim.lsp.get_clients({ id = id, bufnr = buffer })[1]
  return client ~= nil and client.initialized
end)
local client = vim.lsp.get_client_by_id(id)
for _, method in ipairs({
  'textDocument/inlayHint',
  'textDocument/hover',
  'textDocument/codeLens',
  'textDocument/references',
  'textDocument/documentHighlight',
  'textDocument/prepareCallHierarchy',
}) do
  check(client:supports_method(method), 'the server does not announce ' .. method)
end

local function label(hint)
  if type(hint.label) == 'string' then
    return hint.label
  end
  local text = ''
  for _, part in ipairs(hint.label) do
    text = text .. part.value
  end
  return text
end

-- The hint that the editor itself holds for the marked line.
local function shown()
  for _, it in ipairs(vim.lsp.inlay_hint.get({ bufnr = buffer })) do
    if it.inlay_hint.position.line == marked - 1 then
      return label(it.inlay_hint)
    end
  end
end

local function begins(text, start)
  return text ~= nil and vim.startswith(text, start)
end

vim.lsp.inlay_hint.enable(true, { bufnr = buffer })
wait('hint of the whole run', function()
  vim.cmd.redraw()
  return begins(shown(), overall)
end)

local function ask(method, params)
  local answer, problem = client:request_sync(method, params, LIMIT, buffer)
  check(answer, method .. ': ' .. tostring(problem))
  check(not answer.err, method .. ': ' .. vim.inspect(answer.err))
  return answer.result
end

local document = vim.lsp.util.make_text_document_params(buffer)
local text = vim.api.nvim_buf_get_lines(buffer, marked - 1, marked, true)[1]
local column = text:find('%S') - 1
local place = { line = marked - 1, character = column }

local hover = ask('textDocument/hover', { textDocument = document, position = place })
check(hover and hover.contents.value:find('`' .. text:match('%w+') .. '`', 1, true), 'hover: ' .. vim.inspect(hover))

local lenses = ask('textDocument/codeLens', { textDocument = document })
check(#lenses > 0, 'no code lens')
vim.lsp.codelens.refresh({ bufnr = buffer })
wait('code lens in the editor', function()
  return #vim.lsp.codelens.get(buffer) > 0
end)

wait('diagnostic', function()
  return #vim.diagnostic.get(buffer) > 0
end)
local diagnostic = vim.diagnostic.get(buffer)[1]
check(diagnostic.source == 'Retrostep', 'diagnostic: ' .. vim.inspect(diagnostic))
check(diagnostic.message:find('ValueError', 1, true), 'diagnostic: ' .. vim.inspect(diagnostic))

-- A replay in a debug adapter of its own moves; the editor asks again and shows that moment.
local before = refreshed
local adapter = vim.system({ retrostep, 'dap' }, { stdin = true, stdout = function() end, cwd = vim.fs.dirname(file) })
local sequence = 0
local function tell(command, arguments)
  sequence = sequence + 1
  local message = vim.json.encode({ seq = sequence, type = 'request', command = command, arguments = arguments })
  adapter:write(('Content-Length: %d\r\n\r\n%s'):format(#message, message))
end
tell('initialize', { adapterID = 'retrostep' })
tell('attach', { recording = recording, position = tonumber(position) })
tell('configurationDone', vim.empty_dict())
wait('refresh after the replay moved', function()
  return refreshed > before
end)
wait('hint of the moment', function()
  vim.cmd.redraw()
  return begins(shown(), there)
end)

-- When the replay is over, the whole run is shown again.
before = refreshed
tell('disconnect', vim.empty_dict())
wait('refresh after the replay was closed', function()
  return refreshed > before
end)
wait('hint of the whole run', function()
  vim.cmd.redraw()
  return begins(shown(), overall)
end)
adapter:write(nil)
check(adapter:wait(LIMIT).code == 0, 'the adapter does not end well')

client:stop()
wait('end of the server', function()
  return client:is_stopped()
end)
io.stdout:write(('%d refreshes\n'):format(refreshed))
os.exit(0)
