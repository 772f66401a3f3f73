--- Finds the program and runs it for short answers.
local config = require('retrostep.config')

local M = {}

M.NOT_FOUND = "Retrostep's program was not found. Install it or set the option program."

--- The program: the option `program` on PATH, or where `cargo install` puts programs.
---@return string?
function M.path()
  local name = vim.fs.normalize(config.options.program)
  if vim.fn.executable(name) == 1 then
    return vim.fn.exepath(name)
  end
  if name:find('/', 1, true) then
    return nil
  end
  local cargo = vim.env.CARGO_HOME or vim.fs.normalize('~/.cargo')
  local installed = cargo .. '/bin/' .. name
  return vim.fn.executable(installed) == 1 and installed or nil
end

---@type string?
local last_root

--- The folder whose library is meant: the repository of a buffer's file. For a buffer that is none, as
--- the panel's, it is the one that was meant last, and at first that of the current folder.
---@param buffer? integer
---@return string
function M.root(buffer)
  local name = vim.api.nvim_buf_get_name(buffer or 0)
  local is_file = name ~= '' and vim.bo[buffer or 0].buftype == ''
  if not is_file and last_root then
    return last_root
  end
  local folder = is_file and vim.fs.dirname(vim.fs.normalize(name)) or assert(vim.uv.cwd())
  local root = vim.fs.root(folder, '.git') or folder
  if is_file then
    last_root = root
  end
  return root
end

---@class retrostep.Entry
---@field id string
---@field name string
---@field path string
---@field command string[]
---@field working_directory string
---@field result string

--- The recordings of a folder's library, the newest first.
---@param root string
---@return retrostep.Entry[]? entries
---@return string? problem
function M.list(root)
  local path = M.path()
  if not path then
    return nil, M.NOT_FOUND
  end
  local outcome = vim.system({ path, 'list', '--json' }, { cwd = root, text = true }):wait(10000)
  if outcome.code ~= 0 then
    return nil, vim.trim(outcome.stderr or '')
  end
  local ok, entries = pcall(vim.json.decode, outcome.stdout, { luanil = { object = true } })
  if not ok then
    return nil, tostring(entries)
  end
  return entries
end

return M
