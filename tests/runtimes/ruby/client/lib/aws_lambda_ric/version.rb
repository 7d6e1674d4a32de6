# frozen_string_literal: true

module AwsLambdaRIC
  VERSION = '3.1.3'
end
