--- `:checkhealth retrostep`
local debugger = require('retrostep.debugger')
local program = require('retrostep.program')

local M = {}

---@return string? path
local function check_program()
  local path = program.path()
  if not path then
    vim.health.error(program.NOT_FOUND, {
      'cargo install --path cli, in a checkout of Retrostep',
      "or name it: require('retrostep').setup({ program = '/path/to/retrostep' })",
    })
    return nil
  end
  local outcome = vim.system({ path, '--version' }, { text = true }):wait(10000)
  if outcome.code ~= 0 then
    vim.health.error(('%s does not run: %s'):format(path, vim.trim(outcome.stderr or '')), {
      'Install it again: cargo install --path cli --force',
    })
    return nil
  end
  vim.health.ok(('%s, %s'):format(vim.trim(outcome.stdout), path))
  return path
end

local function check_dap()
  local dap = debugger.dap()
  if not dap then
    return vim.health.warn('nvim-dap is not installed: recordings can be shown, not stepped through', {
      'Install https://github.com/mfussenegger/nvim-dap and call setup() after it is on the runtimepath',
    })
  end
  if dap.adapters.retrostep then
    vim.health.ok('nvim-dap knows the adapter')
  else
    vim.health.warn('nvim-dap is installed and does not know the adapter', {
      "Call require('retrostep').setup() when nvim-dap is on the runtimepath",
    })
  end
end

local function check_server()
  local clients = vim.lsp.get_clients({ name = 'retrostep' })
  if #clients == 0 then
    return vim.health.warn('the language server is not attached: there is no Python file open, or it does not start', {
      'Open a Python file, and look at :RetrostepLog if that changes nothing',
      "Call require('retrostep').setup() in your configuration",
    })
  end
  for _, client in ipairs(clients) do
    local count = #vim.tbl_keys(client.attached_buffers or {})
    vim.health.ok(('the language server shows values in %d files of %s'):format(count, client.config.root_dir))
  end
  if pcall(require, 'nvim-dap-virtual-text') and require('retrostep.server').shown() ~= 'off' then
    vim.health.warn('nvim-dap-virtual-text draws values at the ends of lines, too', {
      "Let one of them do it: setup({ values = 'off' }), or :DapVirtualTextDisable",
    })
  end
end

--- The folder of a workspace's recordings, which may not be there yet.
---@param root string
local function check_library(root)
  local in_repository = vim.fs.root(root, '.git') ~= nil
  local data = vim.env.XDG_DATA_HOME or vim.fs.normalize('~/.local/share')
  local folder = in_repository and root .. '/.retrostep' or data .. '/retrostep'
  local existing = folder
  while vim.fn.isdirectory(existing) == 0 and existing ~= vim.fs.dirname(existing) do
    existing = vim.fs.dirname(existing)
  end
  if vim.fn.filewritable(existing) == 2 then
    vim.health.ok(('recordings are kept in %s'):format(folder))
  else
    vim.health.error(('recordings cannot be kept in %s'):format(folder), {
      ('Make %s writable for you'):format(existing),
    })
  end
end

---@param path string
---@param root string
local function check_last_recording(path, root)
  local entries, problem = program.list(root)
  if not entries then
    return vim.health.error('recordings cannot be listed: ' .. problem)
  end
  local last = entries[1]
  if not last then
    return vim.health.info('nothing is recorded here yet; :RetrostepRecord records a run')
  end
  local outcome = vim.system({ path, 'info', last.path }, { cwd = root, text = true }):wait(10000)
  if outcome.code == 0 then
    vim.health.ok(('the last recording, %s, can be read'):format(last.id))
  else
    vim.health.error(('the last recording, %s, cannot be read: %s'):format(last.id, vim.trim(outcome.stderr or '')), {
      'Record again with this program: :RetrostepRecord',
      'Or delete it: retrostep delete ' .. last.id,
    })
  end
end

function M.check()
  vim.health.start('retrostep')
  if vim.fn.has('nvim-0.10') == 0 then
    return vim.health.error('Neovim 0.10 or later is needed')
  end
  local path = check_program()
  check_dap()
  check_server()
  local root = program.root()
  check_library(root)
  if path then
    check_last_recording(path, root)
  end
end

return M
