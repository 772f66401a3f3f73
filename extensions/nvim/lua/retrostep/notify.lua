--- Messages: one line each, by way of `vim.notify`.
local M = {}

---@param text string
---@param level integer
local function show(text, level)
  local line = vim.trim((text:gsub('%s*\n%s*', ' ')))
  vim.notify(line, level, { title = 'Retrostep' })
end

---@param text string
function M.info(text)
  show(text, vim.log.levels.INFO)
end

---@param text string
function M.warn(text)
  show(text, vim.log.levels.WARN)
end

---@param text string
function M.error(text)
  show(text, vim.log.levels.ERROR)
end

return M
