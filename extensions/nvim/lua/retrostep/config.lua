--- What the user chose.
local M = {}

---@class retrostep.Options
---@field program? string the program: a name on PATH or a path
---@field values? 'on'|'line'|'off'|boolean where recorded values are shown as inlay hints
---@field lenses? 'functions'|'failures'|'off' above which functions a code lens stands
---@field diagnostics? 'uncaught'|'off' whether uncaught exceptions are diagnostics
---@field settings? table the section `retrostep` of the language server's settings, over all of the above
---@field keys? boolean whether the mappings of `:help retrostep-keys` are made
---@field prefix? string what these mappings begin with
---@field icons? 'unicode'|'ascii'

---@type retrostep.Options
M.defaults = {
  program = 'retrostep',
  values = 'on',
  lenses = 'functions',
  diagnostics = 'uncaught',
  settings = {},
  keys = false,
  prefix = '<leader>r',
  icons = 'unicode',
}

---@type retrostep.Options
M.options = vim.deepcopy(M.defaults)

local ALLOWED = {
  values = { 'on', 'line', 'off', true, false },
  lenses = { 'functions', 'failures', 'off' },
  diagnostics = { 'uncaught', 'off' },
  icons = { 'unicode', 'ascii' },
}

--- Takes the user's options; returns a sentence for each that is wrong, which then has its default.
---@param options? retrostep.Options
---@return string[]
function M.set(options)
  local wrong = {}
  local taken = {}
  for name, value in pairs(options or {}) do
    local default = M.defaults[name]
    local allowed = ALLOWED[name]
    if default == nil then
      table.insert(wrong, ('there is no option %s'):format(name))
    elseif allowed and not vim.tbl_contains(allowed, value) then
      local words = table.concat(vim.tbl_map(tostring, allowed), ', ')
      table.insert(wrong, ('%s is %s, it can be %s'):format(name, vim.inspect(value), words))
    elseif not allowed and type(value) ~= type(default) then
      table.insert(wrong, ('%s is a %s, it has to be a %s'):format(name, type(value), type(default)))
    else
      taken[name] = value
    end
  end
  M.options = vim.tbl_extend('force', vim.deepcopy(M.defaults), taken)
  if type(M.options.values) == 'boolean' then
    M.options.values = M.options.values and 'on' or 'off'
  end
  table.sort(wrong)
  return wrong
end

return M
