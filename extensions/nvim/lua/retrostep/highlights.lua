--- Highlight groups: links that a colour scheme or the user can replace.
local M = {}

M.links = {
  RetrostepChanged = 'DiagnosticWarn',
  RetrostepException = 'DiagnosticError',
  RetrostepPassed = 'DiagnosticOk',
  RetrostepDim = 'Comment',
  RetrostepTitle = 'Title',
  RetrostepPresent = 'Visual',
  RetrostepPreview = 'NonText',
  RetrostepCall = 'Function',
  RetrostepFloat = 'NormalFloat',
  RetrostepBorder = 'FloatBorder',
}

function M.define()
  for group, link in pairs(M.links) do
    vim.api.nvim_set_hl(0, group, { default = true, link = link })
  end
end

return M
