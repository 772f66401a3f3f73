--- Symbols, and their replacements where the terminal's font has none.
local config = require('retrostep.config')

local M = {}

local ASCII = {
  ['▾'] = 'v',
  ['▸'] = '>',
  ['▶'] = '>',
  ['◀'] = '<',
  ['✗'] = 'x',
  ['✓'] = '+',
  ['⚠'] = '!',
  ['●'] = '*',
  ['⚑'] = '*',
  ['∅'] = '!',
  ['→'] = '->',
  ['·'] = '-',
  ['…'] = '...',
}

--- A text in the characters that the user wants.
---@param text string
---@return string
function M.text(text)
  if config.options.icons ~= 'ascii' then
    return text
  end
  return (text:gsub('[\194-\244][\128-\191]*', ASCII))
end

---@type table<string, { icon: string, group: string }>
M.results = {
  passed = { icon = '✓', group = 'RetrostepPassed' },
  failed = { icon = '✗', group = 'RetrostepException' },
  cut = { icon = '⚠', group = 'RetrostepChanged' },
  running = { icon = '●', group = 'RetrostepChanged' },
  unreadable = { icon = '∅', group = 'RetrostepDim' },
}

return M
