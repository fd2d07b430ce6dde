-- umqtt scripts in Neovim (0.7 or newer): put this file into ~/.config/nvim/plugin/.
-- `umqttc` must be on the PATH; another one is `vim.g.umqttc_path`, the device is
-- `vim.g.umqttc_profile` ('desktop', 'esp8266' or 'esp32').

local client

local function attach(buffer)
    if not client or vim.lsp.client_is_stopped(client) then
        client = vim.lsp.start_client({
            name = 'umqttc',
            cmd = { vim.g.umqttc_path or 'umqttc', 'lsp' },
            root_dir = vim.fn.getcwd(),
            init_options = { profile = vim.g.umqttc_profile or 'desktop' },
            get_language_id = function(_, filetype)
                return filetype
            end,
        })
    end
    if client then
        vim.lsp.buf_attach_client(buffer, client)
    end
end

local group = vim.api.nvim_create_augroup('umqtt', {})
for ending, filetype in pairs({ script = 'umqtt', test = 'umqtt-test' }) do
    vim.api.nvim_create_autocmd({ 'BufRead', 'BufNewFile' }, {
        group = group,
        pattern = '*.' .. ending,
        callback = function(event)
            vim.bo[event.buf].filetype = filetype
        end,
    })
end
vim.api.nvim_create_autocmd('FileType', {
    group = group,
    pattern = { 'umqtt', 'umqtt-test' },
    callback = function(event)
        vim.bo[event.buf].commentstring = '% %s'
        attach(event.buf)
    end,
})

-- :UmqttTest runs the tests of the file, or those beside the script.
vim.api.nvim_create_user_command('UmqttTest', function()
    vim.cmd('write')
    vim.lsp.buf.execute_command({
        command = 'umqtt.runTest',
        arguments = { vim.uri_from_bufnr(0) },
    })
end, {})
