# Starts the client in the function's folder, as Lambda does.
require_relative 'client/lib/aws_lambda_ric'

Dir.chdir(ENV.fetch('LAMBDA_TASK_ROOT'))
AwsLambdaRIC::Bootstrap.new.start
