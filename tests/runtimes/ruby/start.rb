# Plays AWS's runtime client for Ruby (aws_lambda_ric 3.1.3), which is on no registry that the tests
# use. At each step it makes the same request as the client's source, by Net::HTTP on a new
# connection. It loads the handler's file by `require` from the function's folder.
require 'json'
require 'net/http'

Context = Struct.new(:aws_request_id)

class RuntimeApi
  WAITS_S = 1_000_000

  def initialize(place)
    @root = "http://#{place}/2018-06-01/runtime"
  end

  def next
    uri = URI("#{@root}/invocation/next")
    http = Net::HTTP.new(uri.host, uri.port)
    http.read_timeout = WAITS_S
    http.start { |connection| connection.get(uri.path) }
  end

  def answer(id, value)
    post("invocation/#{id}/response", value)
  end

  def invocation_fails(id, error)
    post("invocation/#{id}/error", about(error), error)
  end

  def start_fails(error)
    post('init/error', about(error), error)
  end

  private

  def about(error)
    { errorMessage: error.message, errorType: error.class.name, stackTrace: error.backtrace }
  end

  def post(path, value, error = nil)
    headers = { 'Content-Type' => 'application/json' }
    headers['Lambda-Runtime-Function-Error-Type'] = "Function<#{error.class.name}>" if error
    Net::HTTP.post(URI("#{@root}/#{path}"), value.to_json, headers)
  end
end

# The function's answer, or its error.
def answered(receiver, method, taken)
  context = Context.new(taken['Lambda-Runtime-Aws-Request-Id'])
  [receiver.__send__(method, event: JSON.parse(taken.body), context: context), nil]
rescue StandardError => error
  [nil, error]
end

def serve(api, receiver, method)
  loop do
    taken = api.next
    id = taken['Lambda-Runtime-Aws-Request-Id']
    value, error = answered(receiver, method, taken)
    error ? api.invocation_fails(id, error) : api.answer(id, value)
  end
end

Dir.chdir(ENV.fetch('LAMBDA_TASK_ROOT'))
$LOAD_PATH.unshift(Dir.pwd)
api = RuntimeApi.new(ENV.fetch('AWS_LAMBDA_RUNTIME_API'))
begin
  # "file.method" or "file.Module::Class.method"
  file, *owner, method = ENV.fetch('_HANDLER').split('.')
  require file
  serve(api, owner.empty? ? self : Object.const_get(owner.first), method)
rescue Exception => error  # any exception
  api.start_fails(error)
  exit(-4)
end
