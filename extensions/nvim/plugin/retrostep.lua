if vim.g.loaded_retrostep then
  return
end
vim.g.loaded_retrostep = true

require('retrostep.commands').create()
require('retrostep.keys').create()
require('retrostep.highlights').define()
