variable "dist" {
  description = "The folder with the zips that build.sh makes."
  type        = string
}

variable "policies" {
  description = "The zip of `fshield package`, where the policies are your own; null for those of the engine."
  type        = string
  default     = null
}

variable "policy" {
  description = "A policy's name. Start with monitor, read the events, then default or your own."
  type        = string
  default     = "monitor"

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.policy))
    error_message = "A policy's name has letters, digits, `-` and `_`, at most 64."
  }
}

variable "next_wrapper" {
  description = "Another tool's exec wrapper, which is run guarded before the runtime; null for none."
  type        = string
  default     = null
}
