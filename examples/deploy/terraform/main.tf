# The layers of FunctionShield, open, and what a function has to say to be
# guarded by them:
#
#   module "shield" {
#     source = "…/examples/deploy/terraform"
#     dist   = "…/dist"
#     policy = "monitor"
#   }
#
#   resource "aws_lambda_function" "thumbnailer" {
#     architectures = ["arm64"]
#     # Last: a layer after the guard's could replace its files.
#     layers = concat(local.other_layers, module.shield.layers["arm64"])
#     environment {
#       variables = merge(local.variables, module.shield.environment)
#     }
#   }

locals {
  architectures = toset(["arm64", "x86_64"])
}

resource "aws_lambda_layer_version" "engine" {
  for_each = local.architectures

  layer_name               = "function-shield-${each.key}"
  description              = "FunctionShield, open (exec wrapper, ${each.key})"
  filename                 = "${var.dist}/function-shield-layer-${each.key}.zip"
  source_code_hash         = filebase64sha256("${var.dist}/function-shield-layer-${each.key}.zip")
  compatible_architectures = [each.key]
  license_info             = "Apache-2.0"
  # A rolled-back function refers to the layer version that it had before.
  skip_destroy = true
}

resource "aws_lambda_layer_version" "policies" {
  count = var.policies == null ? 0 : 1

  layer_name       = "function-shield-policies"
  description      = "Policies of FunctionShield, open"
  filename         = var.policies
  source_code_hash = filebase64sha256(var.policies)
  skip_destroy     = true
}
