output "layers" {
  description = "The layers by architecture, to stand last in a function's `layers`."
  value = {
    for architecture in local.architectures :
    architecture => concat(
      [aws_lambda_layer_version.engine[architecture].arn],
      aws_lambda_layer_version.policies[*].arn,
    )
  }
}

output "environment" {
  description = "The variables, to be merged last into a function's."
  value = merge(
    {
      AWS_LAMBDA_EXEC_WRAPPER = "/opt/function-shield"
      FUNCTION_SHIELD_POLICY  = var.policy
    },
    var.next_wrapper == null ? {} : { FUNCTION_SHIELD_NEXT_WRAPPER = var.next_wrapper },
  )
}
