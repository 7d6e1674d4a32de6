# class: lambda
# rule: runtime_api
# success: with AWS_LAMBDA_RUNTIME_API set to another place first, the Runtime API is reached
# proof: api
import os
import socket

from attack import API, attempt


@attempt
def connect():
    os.environ["AWS_LAMBDA_RUNTIME_API"] = "127.0.0.1:9"
    return socket.create_connection(API, 3).send(b"GET / HTTP/1.0\r\n\r\n") > 0
