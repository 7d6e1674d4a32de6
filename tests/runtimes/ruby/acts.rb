require 'socket'

def code
  yield
  'passed'
rescue SystemCallError => error
  error.class.name.delete_prefix('Errno::')
end

def handler(event:, context:)
  [
    code { File.write('/tmp/function-shield-table', '') },
    code { Process.wait(spawn('/usr/bin/true')) },
    code { File.read(__FILE__) },
    code { TCPSocket.new('127.66.66.66', 9) },
    File.read('/proc/self/status')[/VmRSS:\s+(\d+)/, 1].to_i
  ]
end
