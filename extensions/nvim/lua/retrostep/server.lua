--- The language server: values, lenses and diagnostics in Python files, and what the panel shows.
local config = require('retrostep.config')
local notify = require('retrostep.notify')
local program = require('retrostep.program')

local M = {}

local NAME = 'retrostep'
local CURSOR_DELAY_MS = 100

---@type 'on'|'line'|'off'
local shown = 'on'

--- Called when the server says that what it shows is no longer true: a recording came, grew or went, or a
--- replay moved.
---@type table<string, fun()>
M.on_refresh = {}

--- What the user's options are in the server's words.
---@return table
local function settings()
  local options = config.options
  local section = {
    values = {
      show = shown == 'off' and 'off' or 'hints',
      scope = shown == 'line' and 'line' or 'function',
    },
    lenses = options.lenses,
    diagnostics = options.diagnostics,
  }
  local merged = vim.tbl_deep_extend('force', section, options.settings)
  -- What was chosen with a command is the latest word.
  if shown == 'off' then
    merged.values.show = 'off'
  end
  return { retrostep = merged }
end

---@param client vim.lsp.Client
local function buffers(client)
  return vim.tbl_filter(function(buffer)
    return vim.api.nvim_buf_is_loaded(buffer)
  end, vim.tbl_keys(client.attached_buffers or {}))
end

---@param buffer integer
local function refresh_lenses(buffer)
  if config.options.lenses == 'off' then
    return
  end
  -- Neovim 0.12 refreshes them by itself.
  if vim.lsp.codelens.enable then
    vim.lsp.codelens.enable(true, { bufnr = buffer })
  else
    vim.lsp.codelens.refresh({ bufnr = buffer })
  end
end

---@param _ lsp.ResponseError?
---@param context lsp.HandlerContext
local function on_lens_refresh(_, _, context)
  local client = vim.lsp.get_client_by_id(context.client_id)
  for _, buffer in ipairs(client and buffers(client) or {}) do
    refresh_lenses(buffer)
  end
  return vim.NIL
end

---@type lsp.Handler
local function on_hint_refresh(...)
  for _, listener in pairs(M.on_refresh) do
    listener()
  end
  return vim.lsp.handlers['workspace/inlayHint/refresh'](...)
end

---@param root string
---@return table?
local function configuration(root)
  local path = program.path()
  if not path then
    return nil
  end
  local ours = {
    name = NAME,
    cmd = { path, 'lsp' },
    root_dir = root,
    settings = settings(),
    init_options = vim.tbl_extend('force', settings(), { commands = true, commandLinks = false }),
    -- What Neovim can do and does not say by itself.
    capabilities = vim.tbl_deep_extend('force', vim.lsp.protocol.make_client_capabilities(), {
      workspace = { inlayHint = { refreshSupport = true }, codeLens = { refreshSupport = true } },
    }),
    handlers = { ['workspace/inlayHint/refresh'] = on_hint_refresh },
  }
  if not vim.lsp.codelens.enable then
    ours.handlers['workspace/codeLens/refresh'] = on_lens_refresh
  end
  local users = vim.fn.has('nvim-0.11') == 1 and vim.lsp.config[NAME] or {}
  local merged = vim.tbl_deep_extend('force', ours, users or {})
  merged.name, merged.root_dir = NAME, root
  return merged
end

--- The running server of a folder.
---@param root string
---@return vim.lsp.Client?
local function running(root)
  for _, client in ipairs(vim.lsp.get_clients({ name = NAME })) do
    if client.config.root_dir == root and not client:is_stopped() then
      return client
    end
  end
  return nil
end

--- Attaches the server of a Python file's repository, which is started if need be.
---@param buffer integer
function M.attach(buffer)
  if vim.bo[buffer].buftype ~= '' or vim.api.nvim_buf_get_name(buffer) == '' then
    return
  end
  local start = configuration(program.root(buffer))
  if start then
    vim.lsp.start(start, { bufnr = buffer })
  end
end

--- The server of the current buffer's repository, which is started if need be.
---@return vim.lsp.Client?
function M.client()
  local root = program.root()
  local client = running(root)
  if client then
    return client
  end
  local start = configuration(root)
  if not start then
    notify.error(program.NOT_FOUND)
    return nil
  end
  local id
  if vim.fn.has('nvim-0.11') == 1 then
    id = vim.lsp.start(start, { attach = false })
  else
    ---@diagnostic disable-next-line: deprecated
    id = vim.lsp.start_client(start)
  end
  return id and vim.lsp.get_client_by_id(id) or nil
end

--- Asks the server, as soon as it is ready.
---@param method string
---@param params table
---@param callback fun(result: any)
function M.request(method, params, callback)
  local client = M.client()
  if not client then
    return
  end
  local function ask()
    local function answer(err, result)
      if err then
        notify.error(err.message or tostring(err))
      else
        callback(result)
      end
    end
    if vim.fn.has('nvim-0.11') == 1 then
      client:request(method, params, answer)
    else
      ---@diagnostic disable-next-line: param-type-mismatch
      client.request(method, params, answer)
    end
  end
  if client.initialized then
    return ask()
  end
  local started = vim.uv.now()
  local function wait()
    if client.initialized then
      ask()
    elseif vim.uv.now() - started < 10000 and not client:is_stopped() then
      vim.defer_fn(wait, 10)
    else
      notify.error('The language server does not start; :RetrostepLog shows why.')
    end
  end
  wait()
end

---@param client vim.lsp.Client
---@param method string
---@param params table
local function tell(client, method, params)
  if vim.fn.has('nvim-0.11') == 1 then
    client:notify(method, params)
  else
    ---@diagnostic disable-next-line: param-type-mismatch
    client.notify(method, params)
  end
end

--- Shows values of whole functions, of the present line only, or none.
---@param mode? 'on'|'line'|'off' the other of on and off if absent
function M.values(mode)
  shown = mode or (shown == 'off' and 'on' or 'off')
  for _, client in ipairs(vim.lsp.get_clients({ name = NAME })) do
    client.settings = settings()
    tell(client, 'workspace/didChangeConfiguration', { settings = client.settings })
    for _, buffer in ipairs(buffers(client)) do
      if shown ~= 'off' then
        vim.lsp.inlay_hint.enable(true, { bufnr = buffer })
      end
    end
  end
end

---@return 'on'|'line'|'off'
function M.shown()
  return shown
end

--- Tells the server of each line that the cursor comes to, once it rests there.
---@param buffer integer
---@param group integer
local function follow_cursor(buffer, group)
  local told, waiting
  local function send()
    waiting = nil
    if vim.api.nvim_get_current_buf() ~= buffer then
      return
    end
    local client = vim.lsp.get_clients({ name = NAME, bufnr = buffer })[1]
    local line = vim.api.nvim_win_get_cursor(0)[1] - 1
    if client and line ~= told then
      told = line
      tell(client, 'retrostep/cursor', {
        textDocument = { uri = vim.uri_from_bufnr(buffer) },
        position = { line = line, character = 0 },
      })
    end
  end
  vim.api.nvim_create_autocmd({ 'CursorMoved', 'CursorMovedI', 'BufEnter' }, {
    group = group,
    buffer = buffer,
    callback = function()
      if waiting then
        waiting:stop()
      end
      waiting = vim.defer_fn(send, CURSOR_DELAY_MS)
    end,
  })
  waiting = vim.defer_fn(send, CURSOR_DELAY_MS)
end

---@param client vim.lsp.Client
---@param buffer integer
local function on_attach(client, buffer)
  local group = vim.api.nvim_create_augroup('retrostep.buffer.' .. buffer, {})
  if shown ~= 'off' then
    vim.lsp.inlay_hint.enable(true, { bufnr = buffer })
  end
  refresh_lenses(buffer)
  follow_cursor(buffer, group)
  vim.api.nvim_create_autocmd('LspDetach', {
    group = group,
    buffer = buffer,
    callback = function(event)
      if event.data.client_id == client.id then
        vim.api.nvim_clear_autocmds({ group = group })
      end
    end,
  })
end

--- Starts the server for Python files, those that are open and those to come.
function M.setup()
  shown = config.options.values --[[@as 'on'|'line'|'off']]
  local group = vim.api.nvim_create_augroup('retrostep', {})
  vim.api.nvim_create_autocmd('LspAttach', {
    group = group,
    callback = function(event)
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      if client and client.name == NAME then
        on_attach(client, event.buf)
      end
    end,
  })
  vim.api.nvim_create_autocmd('FileType', {
    group = group,
    pattern = 'python',
    callback = function(event)
      M.attach(event.buf)
    end,
  })
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buffer) and vim.bo[buffer].filetype == 'python' then
      M.attach(buffer)
    end
  end
end

return M
