-- Drives Neovim with umqttc/editors/neovim/umqtt.lua, and prints what it shows. A line that begins
-- with `failed` says what did not happen.

local function say(...)
    io.stdout:write(table.concat({ ... }, ' '), '\n')
end

local function wait(what, condition)
    if not vim.wait(30000, condition, 20) then
        say('failed:', what)
        vim.cmd('cquit')
    end
end

local function ask(method, params)
    local answers = vim.lsp.buf_request_sync(0, method, params, 60000)
    for _, answer in pairs(answers or {}) do
        return answer.result
    end
    say('failed: no answer to', method)
    vim.cmd('cquit')
end

local function lines()
    return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '|')
end

local function codes()
    local found = {}
    for _, diagnostic in ipairs(vim.diagnostic.get(0)) do
        local at = ' at ' .. diagnostic.lnum + 1 .. ':' .. diagnostic.col + 1
        table.insert(found, (diagnostic.code or diagnostic.user_data and diagnostic.user_data.lsp.code or '') .. at)
    end
    return table.concat(found, ', ')
end

vim.cmd('edit lamp.script')
say('filetype', vim.bo.filetype)
wait('the client attaches', function()
    return #vim.lsp.buf_get_clients(0) > 0
end)
wait('diagnostics', function()
    return #vim.diagnostic.get(0) > 0
end)
say('diagnostics', codes())

-- Typed, the emoji before it.
vim.api.nvim_buf_set_text(0, 1, 0, 1, 0, { '    println "💡" | $on', '' })
wait('diagnostics of what was typed', function()
    return #vim.diagnostic.get(0) > 1
end)
say('diagnostics', codes())
vim.cmd('undo')

vim.api.nvim_win_set_cursor(0, { 2, 4 })
local hover = ask('textDocument/hover', vim.lsp.util.make_position_params())
say('hover', (hover.contents.value:gsub('\n', '|')))

vim.api.nvim_buf_set_lines(0, 2, 2, false, { '    ' })
vim.api.nvim_win_set_cursor(0, { 3, 3 })
local items = ask('textDocument/completion', vim.lsp.util.make_position_params())
local labels = {}
for _, item in ipairs(items.items or items) do
    labels[item.label] = true
end
say('completion', tostring(labels.publish), tostring(labels['then']))
vim.cmd('undo')

-- What mends it.
local params = vim.lsp.util.make_range_params()
params.range = { start = { line = 0, character = 0 }, ['end'] = { line = 9, character = 0 } }
params.context = { diagnostics = {} }
local actions = ask('textDocument/codeAction', params)
for _, action in ipairs(actions) do
    if action.kind == 'quickfix' then
        say('fix', action.title)
        vim.lsp.util.apply_workspace_edit(action.edit, 'utf-16')
    end
end
wait('nothing is wrong any more', function()
    return #vim.diagnostic.get(0) == 0
end)
say('mended', lines())

if vim.lsp.buf.format then
    vim.lsp.buf.format({ timeout_ms = 60000 })
else
    vim.lsp.buf.formatting_sync(nil, 60000)
end
say('formatted', lines())
vim.cmd('write')

vim.api.nvim_win_set_cursor(0, { 2, 4 })
local messages = {}
vim.lsp.handlers['window/showMessage'] = function(_, result)
    table.insert(messages, result.message)
end
vim.cmd('UmqttTest')
wait('the tests are run', function()
    return #messages > 0
end)
say('tests', messages[1])
vim.lsp.stop_client(vim.lsp.get_active_clients())
wait('the server ends', function()
    return #vim.lsp.get_active_clients() == 0
end)
say('done')
vim.cmd('qall!')
