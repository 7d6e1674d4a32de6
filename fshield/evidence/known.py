"""What `learn` knows about the world, as data: packages and programs by name, hosts that others
imitate.

A name proves nothing, because anybody can use it. These tables decide only what is learnt without
asking; the policy's reviewer decides whether it is right.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: The outermost packages on a function's stack: the runtime client, its bootstrap; in a test, the
#: runner.
RUNTIMES = _words("awslambdaric bootstrap runtime_bootstrap pytest _pytest pluggy")
#: Packages between those and the handler: tools that wrap handlers.
CALLERS = RUNTIMES | _words(
    "datadog_lambda ddtrace newrelic_lambda newrelic "
    "opentelemetry lumigo_tracer thundra epsagon sentry_sdk aws_lambda_powertools aws_xray_sdk"
)
#: Of those, the ones that also make requests for the code that calls them.
UTILITIES = _words("aws_lambda_powertools")
#: Packages that can be the handler in place of the function's own code: they translate events, and
#: call the function.
ADAPTERS = _words(
    "mangum serverless_wsgi wsgi_handler apig_wsgi awsgi awsgi2 wsgi_lambda a2wsgi asgiref chalice"
    " zappa handler_zappa anyio sniffio uvloop asyncer fastapi starlette flask werkzeug django"
    " bottle falcon litestar quart aiohttp lambda_decorators lambda_handlers ask_sdk_core"
    " slack_bolt strawberry ariadne graphene graphql connexion flask_cors flask_restful flask_restx"
    " whitenoise prometheus_client brotli_asgi"
)
#: Of those, the ones that a function imports in order to be called by them.
SERVERS = ADAPTERS - _words("anyio sniffio uvloop asyncer aiohttp graphql graphene asgiref")
#: What puts frames of its own between the runtime client and a function that imports it. Sentry
#: puts some into each thread as well.
WRAPPERS = SERVERS | (CALLERS - RUNTIMES)
#: Where a framework calls a registered function: the package, and the name of its own function.
ENDPOINT_CALLS = {
    "fastapi": ("run_endpoint_function", "_run_sync_endpoint", "run_sync_endpoint"),
    "starlette": ("request_response",),
    "flask": ("dispatch_request",),
    "django": ("_get_response", "_get_response_async"),
    "chalice": ("_get_view_function_response",),
    "bottle": ("_handle",),
    "aws_lambda_powertools": ("_registered_api_adapter",),
}

#: Carriers: packages that make requests for others. A host that one reached may be another
#: package's.
CARRIERS = _words(
    "urllib3 requests requests_toolbelt httpx httpcore httpx2 httpcore2 h11 h2 anyio sniffio"
    " aiohttp aiohappyeyeballs aiobotocore aioboto3 boto3 botocore s3transfer awscrt smart_open"
    " fsspec s3fs websockets websocket tornado twisted pycurl certifi grpc grpclib google"
    " google_auth_httplib2 httplib2 treq niquests urllib3_future tenacity backoff wrapt redis"
    " valkey sqlalchemy psycopg psycopg2 psycopg_binary psycopg_c psycopg_pool asyncpg pg8000"
    " pymysql aiomysql mysql MySQLdb pymongo motor bson pymssql pyodbc oracledb cx_Oracle"
    " snowflake elasticsearch elastic_transport opensearchpy kafka confluent_kafka aiokafka pika"
    " aio_pika kombu celery paho paramiko ldap3 dns aiodns pycares uvloop gevent eventlet jinja2"
    " pydantic pydantic_core numpy pandas gcsfs adlfs asyncssh dulwich"
    # In Rust or C++, for stores of objects that they are told.
    " deltalake obstore polars_runtime_32 polars_runtime_64 polars_runtime_compat pyarrow"
    # Node.js
    " @smithy/node-http-handler @smithy/core @aws-sdk/client-s3 agent-base axios follow-redirects"
    " got http-proxy-agent https-proxy-agent ioredis @redis/client mongodb mysql2 needle node-fetch"
    " nodemailer pg pg-pool socks superagent undici ws"
)

#: Carriers that work in threads of their own, where no caller is on the stack. In Node.js, those
#: that connect in a later turn of the event loop. urllib3 counts for hosts of AWS only.
THREADED = _words(
    "boto3 botocore s3transfer awscrt aiobotocore aioboto3 fsspec s3fs gcsfs adlfs"
    " smart_open pymongo"
    " @smithy/node-http-handler ioredis @redis/client mongodb mysql2 nodemailer pg pg-pool"
)

#: Packages of asyncio, which work in threads of a pool as well.
ASYNCHRONOUS = _words(
    "anyio sniffio trio aiohttp aiohappyeyeballs aiobotocore aioboto3 aiofiles aiodns asyncpg"
    " aiomysql aiosqlite asyncssh aiokafka aio_pika motor asyncer uvloop websockets"
)
#: Packages that call others which they do not require: drivers, file systems, engines.
OPTIONAL = _words(
    "sqlalchemy django peewee pandas polars dask fsspec celery kombu mangum starlette fastapi"
    " smart_open"
)
#: Packages whose C code opens the files that it is given the names of.
OPENERS = _words("duckdb polars pyarrow chdb datafusion lancedb netCDF4 h5py rasterio fiona cv2")
#: Packages that others use in threads of their own or far down the stack, each with the one that
#: most functions use it by.
USERS = {
    "aiohappyeyeballs": "aiohttp",
    "botocore": "boto3",
    "httpcore": "httpx",
    "s3transfer": "boto3",
}

#: Packages in whose threads frameworks spool large uploads (Starlette, by tempfile): no event shows
#: a frame of the framework.
POOLS = _words("anyio")

#: Packages between a function and its services, and what runs its event loop. Often all frames of
#: an event are theirs, so their caller is unknown.
CONNECTORS = _words(
    "django sqlalchemy peewee elastic_transport rq mangum"
    # Node.js
    " knex mongoose sequelize typeorm"
)

#: The default port of each Node.js client, because Node's lookups do not say the port.
CLIENT_PORTS = {
    "@redis/client": 6379,
    "cassandra-driver": 9042,
    "ioredis": 6379,
    "mongodb": 27017,
    "mysql": 3306,
    "mysql2": 3306,
    "nodemailer": 587,
    "pg": 5432,
    "tedious": 1433,
}

#: C client libraries that may be the system's or a layer's, each with a carrier that uses it.
CLIENT_LIBRARIES = {
    "libcurl": "pycurl",
    "libmariadb": "MySQLdb",
    "libmysqlclient": "MySQLdb",
    "libodbc": "pyodbc",
    "libpq": "psycopg2",
    "librdkafka": "confluent_kafka",
    "libsybdb": "pymssql",
}

#: Packages that load machine code when they are imported.
NATIVE = _words(
    "numpy scipy pandas PIL cryptography cffi _cffi_backend pydantic_core lxml google grpc psycopg2"
    " psycopg sqlalchemy greenlet aiohttp multidict yarl frozenlist orjson ujson msgpack zstandard"
    " uvloop pyarrow polars matplotlib sklearn torch onnxruntime cv2 shapely pyproj rpds bcrypt"
    " nacl argon2 regex yaml ruamel wrapt setuptools pkg_resources comtypes psutil numba llvmlite"
    " joblib threadpoolctl duckdb h5py zmq rasterio fiona skimage statsmodels spacy tokenizers"
    " sentencepiece lightgbm xgboost fitz pymupdf soundfile numexpr bottleneck faiss tiktoken"
    " opentelemetry billiard dateutil magic curl_cffi asyncssh gevent tblib"
)

#: Packages that make code objects when an error passes through them, so that a traceback names the
#: template or crosses threads. Where `native_code` blocks, they raise PolicyViolation instead of
#: the error.
AT_ERRORS = _words("jinja2 gevent tblib")

#: Packages that usually write below /tmp by themselves: caches and unpacked parts.
SPOOLERS = _words(
    "matplotlib numba fontconfig joblib nltk transformers huggingface_hub diskcache pandas openpyxl"
    " reportlab weasyprint PIL pypdf pikepdf fitz pymupdf pdf2image moviepy imageio pydub"
    " s3transfer boto3 botocore requests urllib3 werkzeug starlette fastapi multipart"
    " python_multipart jinja2 pyarrow polars duckdb geopandas fiona rasterio django docx"
    " pptx xlsxwriter"
)

#: In names of files, what has no vowel, or a pair of letters that words do not have.
ABBREVIATIONS = _words(
    "bkp blk cfg chk chr csv ctl dbg dir dst err fwd hdr html http img imgs jpg js lst mgr mpg msg"
    " mtx pct pdf pdfs pkg png pngs ppt prd ptr rgb rpt rpts rss seq snp snps sql src ssh std svg"
    " sys tbl tgz tmp trn tst tsv txn txns txt url val vcf wav xls xlsx xml xyz zip zst"
)

#: Programs that packages start by themselves and that only report about the system.
HELPERS = {
    "azure": _words("uname"),  # by platform.platform()
    "matplotlib": _words("fc-list"),
    "openai": _words("uname"),  # by platform.processor()
    "snowflake": _words("getconf"),  # for the version of libc
    "stripe": _words("uname"),
}

#: Packages that fork workers, which is what they are for.
FORKERS = _words("billiard joblib loky mpire multiprocess pathos pebble")

#: Distributions whose packages have other names, if no other distribution has that package.
DISTRIBUTIONS = {
    "Crypto": "pycryptodome",
    "MySQLdb": "mysqlclient",
    "OpenSSL": "pyopenssl",
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "dateutil": "python-dateutil",
    "dns": "dnspython",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "fitz": "pymupdf",
    "git": "gitpython",
    "github": "pygithub",
    "gitlab": "python-gitlab",
    "jwt": "pyjwt",
    "kafka": "kafka-python",
    "mysql": "mysql-connector-python",
    "nacl": "pynacl",
    "opensearchpy": "opensearch-py",
    "paho": "paho-mqtt",
    "pkg_resources": "setuptools",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "slugify": "python-slugify",
    "websocket": "websocket-client",
    "yaml": "pyyaml",
    "zmq": "pyzmq",
}

#: Packages that read the handler's source but also work without it, each with its distribution.
#: Sentry sends the lines around an error; joblib's Memory looks whether a function has changed.
SOURCE_READERS = {"joblib": "joblib", "sentry_sdk": "sentry-sdk"}

#: For acts of packages that are held back: what makes them unnecessary, or what to accept.
HINTS = {
    ("native_code", "polars"): (
        "POLARS_SKIP_CPU_CHECK=1 in the function's configuration makes polars leave out the machine"
        " code by which it asks the CPU"
    ),
    ("native_code", "llvmlite"): (
        "numba makes machine code by llvmlite: --trust llvmlite, if jitted functions are wanted"
    ),
    ("create_child_process", "sentry_sdk"): (
        "SENTRY_RELEASE in the function's configuration makes Sentry not ask git for the release"
    ),
    ("outbound_connectivity", "snowflake"): (
        "SNOWFLAKE_DISABLE_PLATFORM_DETECTION=true in the function's configuration makes the"
        " connector ask no metadata service which cloud it runs in"
    ),
    ("outbound_connectivity", "slack_bolt"): (
        "Bolt invokes the function again for a lazy listener: --trust slack_bolt, if it has some"
    ),
    ("read_handler", "joblib"): (
        "workers of joblib import what they run: define it in a module of its own, not in the"
        " handler's"
    ),
    ("read_handler", "__main__"): (
        "a Python that was started, as by multiprocessing, imports what it runs: define it in a"
        " module of its own, not in the handler's"
    ),
    ("read_handler", "numba"): (
        "the cache of numba reads the file of a jitted function: define them in a module of their"
        " own, not in the handler's"
    ),
}

SHELLS = _words("sh bash dash ash zsh ksh mksh fish csh tcsh busybox toybox pwsh")
PACKAGE_MANAGERS = _words(
    "pip pip3 uv uvx pipx poetry conda mamba npm npx yarn pnpm corepack gem bundle cargo go apt"
    " apt-get dpkg yum dnf microdnf rpm apk zypper pacman snap brew easy_install"
)
#: Programs that run or fetch whatever they are told: an exception for one is an exception for all.
ANYTHING = _words(
    "python python2 python3 node nodejs deno bun perl ruby php lua java tclsh awk gawk mawk sed"
    " find xargs env nohup setsid timeout nice stdbuf watch script expect make gcc cc clang as ld"
    " gdb strace ltrace curl wget nc ncat netcat socat telnet ssh scp sftp rsync ftp tftp openssl"
    " dig nslookup host drill base64 tar cp dd tee vim vi ed nano less more man git docker kubectl"
    " aws sudo su doas"
)

#: Addresses and names that give out credentials.
METADATA = {
    "169.254.169.254": "the instance metadata service",
    "169.254.170.2": "the container credentials endpoint",
    "169.254.170.23": "the EKS pod identity agent",
    "169.254.169.253": "the resolver of the VPC, by address",
    "fd00:ec2::254": "the instance metadata service",
    "fd00:ec2::23": "the EKS pod identity agent",
    "fd00:ec2::253": "the resolver of the VPC, by address",
    "100.100.100.200": "a cloud's metadata service",
    "metadata.google.internal": "a cloud's metadata service",
    "metadata": "a cloud's metadata service",
    "instance-data": "the instance metadata service",
    "instance-data.ec2.internal": "the instance metadata service",
}

#: Suffixes under which anybody can have a name, so `*.` before one would allow everybody. ICANN's
#: own (co.uk) are recognised by their form. From the private section of
#: https://publicsuffix.org/list/, those that functions meet.
SHARED = _words(
    "amazonaws.com amazonaws.com.cn amazonaws.eu api.aws on.aws awsapps.com cloudfront.net"
    " elasticbeanstalk.com amplifyapp.com azurewebsites.net azure-api.net azureedge.net azurefd.net"
    " blob.core.windows.net core.windows.net cloudapp.net cloudapp.azure.com trafficmanager.net"
    " googleapis.com appspot.com run.app cloudfunctions.net web.app firebaseapp.com firebaseio.com"
    " googleusercontent.com herokuapp.com github.io githubusercontent.com gitlab.io pages.dev"
    " workers.dev r2.dev cloudflarestorage.com vercel.app netlify.app onrender.com fly.dev"
    " railway.app repl.co replit.app glitch.me surge.sh ngrok.io ngrok.app ngrok-free.app"
    " trycloudflare.com loca.lt serveo.net pythonanywhere.com deno.dev supabase.co myshopify.com"
    " wordpress.com blogspot.com tumblr.com wixsite.com fastly.net akamaihd.net akamaized.net"
    " edgekey.net b-cdn.net digitaloceanspaces.com ondigitalocean.app backblazeb2.com wasabisys.com"
    " linodeobjects.com duckdns.org no-ip.org ddns.net dyndns.org nip.io sslip.io xip.io"
    " webhook.site requestbin.com pipedream.net interact.sh oast.fun burpcollaborator.net"
    " pastebin.com atlassian.net zendesk.com service-now.com okta.com auth0.com my.salesforce.com"
    " slack.com sharepoint.com windows.net azure.com azure.net azurecontainerapps.io azurecr.io"
    " azurestaticapps.net azuredatabricks.net databricks.com snowflakecomputing.com mongodb.net"
    " confluent.cloud aivencloud.com upstash.io neon.tech supabase.in elastic-cloud.com algolia.net"
    " sentry.io force.com dynamics.com freshdesk.com mybigcommerce.com jfrog.io cloudsmith.io"
    " twil.io hf.space streamlit.app modal.run readthedocs.io ghost.io substack.com oraclecloud.com"
    " aliyuncs.com myqcloud.com myhuaweicloud.com scw.cloud vultrobjects.com storjshare.io"
    " dweb.link ipfs.io oastify.com beeceptor.com requestcatcher.com localhost.run lhr.life"
)
#: Second levels under which a country's registry gives out names.
SECOND_LEVELS = _words("co com net org gov edu ac ne or go gob nom ltd plc mil sch id web")

#: Domains that others imitate.
IMITATED = _words(
    "amazonaws.com amazon.com aws.amazon.com github.com githubusercontent.com gitlab.com"
    " bitbucket.org pypi.org pythonhosted.org npmjs.org npmjs.com docker.com docker.io google.com"
    " googleapis.com gstatic.com microsoft.com microsoftonline.com windows.net azure.com office.com"
    " apple.com icloud.com facebook.com stripe.com paypal.com braintreegateway.com adyen.com"
    " twilio.com sendgrid.com sendgrid.net mailgun.net mailgun.org slack.com discord.com"
    " telegram.org atlassian.com datadoghq.com datadoghq.eu sentry.io newrelic.com honeycomb.io"
    " splunk.com elastic.co mongodb.com mongodb.net redislabs.com snowflakecomputing.com"
    " databricks.com openai.com anthropic.com huggingface.co cloudflare.com fastly.com akamai.com"
    " okta.com auth0.com salesforce.com hubspot.com shopify.com zendesk.com intercom.io segment.io"
    " segment.com launchdarkly.com pagerduty.com"
)

#: Widely used packages that have known ones connect or write for the function: frameworks for
#: language models, object mappers, makers of images and documents. Not in `PACKAGES`: a function's
#: own `storage` does not imitate `storages`.
DRIVERS = _words(
    "langchain langchain_anthropic langchain_aws langchain_classic langchain_community"
    " langchain_core langchain_google_genai langchain_openai langgraph llama_index litellm"
    " instructor haystack crewai dspy pydantic_ai semantic_kernel mcp fastmcp"
    " flask_sqlalchemy sqlmodel alembic dramatiq django_redis storages authlib oauthlib"
    " requests_oauthlib requests_cache cachecontrol msal zeep gspread feedparser tweepy"
    " qrcode barcode img2pdf ocrmypdf pytesseract pdfplumber seaborn plotly altair"
)

#: Packages that others imitate: what a folder of packages holds most often.
PACKAGES = (
    CARRIERS
    | NATIVE
    | _words(
        "attr attrs click flask django fastapi starlette rich typer idna charset_normalizer"
        " dateutil six yaml jwt markupsafe werkzeug itsdangerous packaging simplejson jmespath"
        " stripe twilio sendgrid openai anthropic colorama tqdm pytz toml tomli jsonschema"
        " marshmallow loguru structlog dotenv tabulate"
    )
)

#: The domains that a vendor's own client may reach without a question.
VENDORS: dict[str, tuple[str, ...]] = {
    "azure": (
        "azure.com",
        "azure.net",
        "microsoftonline.com",
        "servicebus.windows.net",
        *(f"{kind}.core.windows.net" for kind in ("blob", "dfs", "file", "queue", "table")),
    ),
    "stripe": ("stripe.com",),
    "sentry_sdk": ("sentry.io",),
    "twilio": ("twilio.com",),
    "sendgrid": ("sendgrid.com",),
    "slack_sdk": ("slack.com",),
    "openai": ("openai.com",),
    "anthropic": ("anthropic.com",),
    "datadog": ("datadoghq.com", "datadoghq.eu"),
    "datadog_lambda": ("datadoghq.com", "datadoghq.eu"),
    "ddtrace": ("datadoghq.com", "datadoghq.eu"),
    "newrelic": ("newrelic.com",),
    "launchdarkly_client": ("launchdarkly.com",),
    "ldclient": ("launchdarkly.com",),
    "auth0": ("auth0.com",),
    "google": ("googleapis.com",),
    "snowflake": ("snowflakecomputing.com",),
    "github": ("github.com",),
    "gitlab": ("gitlab.com",),
}
