--- Mappings: `<Plug>` ones that are always there, and keys for those who want them.
local M = {}

---@class retrostep.Key
---@field plug string
---@field key string what follows the prefix
---@field run fun()
---@field desc string
---@field modes? string[] normal mode by default

---@param name string
---@return fun()
local function call(name)
  return function()
    require('retrostep')[name]()
  end
end

---@type retrostep.Key[]
M.keys = {
  { plug = 'step-back', key = 'b', run = call('back'), desc = 'Step back' },
  { plug = 'step-back-into', key = 'B', run = call('back_into'), desc = 'Step back into' },
  { plug = 'step-back-out', key = 'o', run = call('back_out'), desc = 'Step back out' },
  { plug = 'reverse', key = 'c', run = call('reverse'), desc = 'Run backward' },
  { plug = 'goto', key = 'g', run = call('go_to'), desc = 'Go to a moment' },
  {
    plug = 'history',
    key = 'h',
    run = call('history'),
    desc = 'Show the value history',
    modes = { 'n', 'x' },
  },
  { plug = 'last-change', key = 'l', run = call('last_change'), desc = 'Go to the last change' },
  { plug = 'panel', key = 'p', run = call('panel'), desc = 'Open or close the panel' },
  { plug = 'values', key = 'v', run = call('values'), desc = 'Show or hide recorded values' },
  {
    plug = 'previous-moment',
    key = 'u',
    run = call('previous_moment'),
    desc = 'Go back to the previous moment',
  },
}

---@param key retrostep.Key
local function plug(key)
  return ('<Plug>(retrostep-%s)'):format(key.plug)
end

function M.create()
  for _, key in ipairs(M.keys) do
    vim.keymap.set(key.modes or { 'n' }, plug(key), key.run, { desc = 'Retrostep: ' .. key.desc })
  end
end

--- Maps the keys after `prefix`; what the user has mapped stays.
---@param prefix string
function M.map(prefix)
  for _, key in ipairs(M.keys) do
    for _, mode in ipairs(key.modes or { 'n' }) do
      local left = prefix .. key.key
      if vim.fn.maparg(left, mode) == '' and vim.fn.hasmapto(plug(key), mode) == 0 then
        vim.keymap.set(mode, left, plug(key), { desc = 'Retrostep: ' .. key.desc })
      end
    end
  end
end

return M
