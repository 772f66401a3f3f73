-- Stands in for nvim-dap: the part of its interface that the plugin and its tests use, speaking the
-- protocol with a real adapter. The suite runs on the real one instead when NVIM_DAP_PATH names it.
local M = {}

M.ABORT = {}
M.adapters = {}
M.configurations = {}

local function listeners()
  return setmetatable({}, {
    __index = function(all, name)
      local new = {}
      rawset(all, name, new)
      return new
    end,
  })
end
M.listeners = { before = listeners(), after = listeners() }

local Session = {}
Session.__index = Session

local session
local sessions = {}
local last_id = 0
-- Lines by file: the adapter is told of them when a replay begins and when they change.
local breakpoints = {}

local function call(all, name, ...)
  for key, listener in pairs(all[name]) do
    if listener(...) then
      all[name][key] = nil
    end
  end
end

function Session:send(message)
  self.seq = self.seq + 1
  message.seq = self.seq
  local text = vim.json.encode(message)
  self.process:write(('Content-Length: %d\r\n\r\n%s'):format(#text, text))
  return message.seq
end

function Session:request(command, arguments, callback)
  local seq = self:send({ type = 'request', command = command, arguments = arguments })
  self.pending[seq] = callback or function() end
end

function Session:received(message)
  if message.type == 'response' then
    local callback = self.pending[message.request_seq]
    self.pending[message.request_seq] = nil
    local err = not message.success and { message = message.message, body = message.body } or nil
    local body = message.success and message.body or nil
    call(M.listeners.before, message.command, self, err, body)
    callback(err, body)
    call(M.listeners.after, message.command, self, err, body)
  elseif message.type == 'event' then
    local name = 'event_' .. message.event
    call(M.listeners.before, name, self, message.body)
    if Session[name] then
      Session[name](self, message.body)
    end
    call(M.listeners.after, name, self, message.body)
  end
end

function Session:event_initialized()
  for path in pairs(breakpoints) do
    self:set_breakpoints(path)
  end
  self:request('configurationDone', vim.empty_dict())
end

function Session:event_continued()
  self.stopped_thread_id, self.current_frame = nil, nil
end

function Session:event_stopped(body)
  -- A thread other than the one that stands would be resumed by nvim-dap.
  if self.stopped_thread_id and self.stopped_thread_id ~= body.threadId then
    self.mistake = ('stopped in thread %s while %s stands'):format(body.threadId, self.stopped_thread_id)
  end
  self.stopped_thread_id = body.threadId
  self:request('threads', nil, function() end)
  self:request('stackTrace', { threadId = body.threadId, startFrame = 0 }, function(err, answer)
    local frame = not err and answer.stackFrames[1]
    if not frame then
      return
    end
    self.current_frame = frame
    vim.cmd.edit(vim.fn.fnameescape(frame.source.path))
    vim.api.nvim_win_set_cursor(0, { frame.line, 0 })
  end)
end

function Session:event_terminated()
  self:close()
end

function Session:close()
  sessions[self.id] = nil
  if session == self then
    session = nil
  end
  self.process:kill('sigterm')
end

function Session:set_breakpoints(path)
  local list = vim.tbl_map(function(line)
    return { line = line }
  end, breakpoints[path])
  self:request('setBreakpoints', { source = { path = path }, breakpoints = list })
end

local function start(adapter, config)
  last_id = last_id + 1
  local new = setmetatable({ id = last_id, config = config, seq = 0, pending = {} }, Session)
  sessions[new.id], session = new, new
  local received = ''
  new.process = vim.system({ adapter.command, unpack(adapter.args) }, {
    cwd = adapter.options and adapter.options.cwd,
    stdin = true,
    stdout = function(_, chunk)
      received = received .. (chunk or '')
      while true do
        local head, len = received:match('^(Content%-Length: (%d+)\r\n\r\n)')
        if not head or #received < #head + tonumber(len) then
          return
        end
        local text = received:sub(#head + 1, #head + tonumber(len))
        received = received:sub(#head + 1 + tonumber(len))
        vim.schedule(function()
          new:received(vim.json.decode(text, { luanil = { object = true } }))
        end)
      end
    end,
  })
  local client = { adapterID = 'nvim-dap', linesStartAt1 = true, columnsStartAt1 = true, pathFormat = 'path' }
  new:request('initialize', client, function(err, capabilities)
    new.capabilities = capabilities
    if not err then
      new:request(config.request, config, function(refusal)
        if refusal then
          vim.notify('Error on ' .. config.request .. ': ' .. vim.inspect(refusal), vim.log.levels.ERROR)
          new:close()
        end
      end)
    end
  end)
end

local function expanded(value)
  if type(value) == 'function' then
    value = value()
  end
  if type(value) == 'thread' then
    local waiting = coroutine.running()
    coroutine.resume(value, waiting)
    value = coroutine.yield()
  end
  if type(value) == 'string' then
    value = value:gsub('%${file}', vim.fn.expand('%:p'))
  end
  return value
end

function M.run(config)
  coroutine.wrap(function()
    local ready = {}
    for name, value in pairs(config) do
      ready[name] = expanded(value)
      if ready[name] == M.ABORT then
        return
      end
    end
    local adapter = M.adapters[ready.type]
    if type(adapter) == 'function' then
      adapter(function(resolved)
        start(resolved, ready)
      end, ready)
    else
      start(adapter, ready)
    end
  end)()
end

function M.session()
  return session
end

function M.sessions()
  return sessions
end

function M.set_session(new)
  session = new
end

local function move(capability, command)
  assert(session and session.capabilities[capability], capability)
  session:request(command, { threadId = session.stopped_thread_id })
end

function M.step_back()
  move('supportsStepBack', 'stepBack')
end

function M.reverse_continue()
  move('supportsStepBack', 'reverseContinue')
end

function M.toggle_breakpoint()
  local path = vim.api.nvim_buf_get_name(0)
  breakpoints[path] = { vim.api.nvim_win_get_cursor(0)[1] }
  if session then
    session:set_breakpoints(path)
  end
end

function M.disconnect()
  local ending = session
  if ending then
    ending:request('disconnect', vim.empty_dict(), function()
      ending:close()
    end)
  end
end

return M
