"""Pickles that would call what they should not, put together opcode by opcode; the arguments are inert."""

from __future__ import annotations

import struct

from tests.cases.safety import Case

GLOBALS = """
os system | posix system | nt system | os popen | os execv | subprocess Popen | subprocess check_output | builtins eval
builtins exec | builtins compile | builtins __import__ | builtins open | __builtin__ eval | pip main | pip._internal main
pip._internal.cli.main main | pkgutil resolve_name | numpy.testing._private.utils runstring | numpy.testing.utils runstring
torch load | torch.hub load | torch.serialization load | torch.utils.bottleneck.__main__ run_cprofile | timeit timeit
timeit main | cProfile run | cProfile runctx | profile run | profile Profile.runctx | bdb Bdb.run | pdb run | pdb Pdb.run
code InteractiveInterpreter.runcode | code interact | codeop compile_command | runpy run_path | runpy _run_code | ctypes CDLL
ctypes.util find_library | multiprocessing.util spawnv_passfds | asyncio.unix_events _UnixSubprocessTransport._start
asyncio create_subprocess_shell | webbrowser open | shutil rmtree | shutil copyfile | sys exit | sys settrace
importlib import_module | importlib.util spec_from_file_location | pydoc pipepager | pydoc locate | doctest debug_script
unittest.mock _importer | unittest.mock patch | lib2to3.pgen2.grammar Grammar.loads | lib2to3.pgen2.pgen ParserGenerator.make_label
idlelib.pyshell ModifiedInterpreter.runcode | idlelib.autocomplete AutoComplete.get_entity | idlelib.run Executive.runcode
idlelib.debugobj ObjectTreeItem.SetText | idlelib.calltip get_entity | distutils.file_util write_file | distutils.spawn spawn
setuptools.command.easy_install main | ensurepip _run_pip | venv create | ssl get_server_certificate | ftplib FTP
smtplib SMTP | telnetlib Telnet | imaplib IMAP4 | poplib POP3 | nntplib NNTP | http.client HTTPSConnection
http.server test | urllib.request urlopen | urllib urlopen | urllib2 urlopen | requests.api get | requests get | aiohttp.client ClientSession
httpx get | paramiko.client SSHClient | socketserver TCPServer | socket create_connection | _socket socket | sqlite3 connect
_sqlite3 connect | logging.config listen | logging.config fileConfig | logging FileHandler | pty spawn | commands getoutput
platform popen | platform _syscmd_ver | tempfile mkstemp | io open | _io FileIO | io FileIO | codecs open | shelve open | dill loads
dill._dill loads | cloudpickle loads | cloudpickle.cloudpickle subimport | pickle loads | _pickle loads | pickle _loads | marshal loads
types CodeType | types FunctionType | linecache getlines | fileinput input | zipimport zipimporter | site addsitedir | site main
trace Trace.run | trace Trace.runctx | _aix_support _read_cmd_output | _osx_support _read_output | _osx_support _find_build_tool
_pyrepl.pager pipe_pager | _posixsubprocess fork_exec | uuid _get_command_stdout | uuid _popen | nturl2path url2pathname
torch._dynamo.guards GuardBuilder.get | torch.fx.experimental.symbolic_shapes ShapeEnv.evaluate_guards_expression
torch.utils._config_module ConfigModule.load_config | torch.utils.data.datapipes.utils.decoder basichandlers
torch.jit.unsupported_tensor_ops execWrapper | torch.utils.collect_env run | torch._inductor.codecache compile_file
torch.utils.cpp_extension load_inline | torch.ops load_library | torch._ops _OpNamespace | torch.fx.graph_module _forward_from_src
torch.fx.graph_module reduce_graph_module | torch.package.package_importer PackageImporter | torch.distributed.rpc.internal _run_function
numpy.f2py.crackfortran getlincoef | numpy.f2py.crackfortran param_eval | numpy.f2py.crackfortran myeval | numpy.f2py.diagnose run
numpy load | numpy fromfile | numpy memmap | joblib load | joblib.numpy_pickle load | pandas read_pickle | pandas.io.pickle read_pickle
pandas.core.computation.eval eval | sympy.core.sympify sympify | tensorflow.python.ops.io_ops read_file | keras.models load_model
mailcap findmatch | smtpd SMTPServer | xmlrpc.client ServerProxy | wsgiref.simple_server make_server | tkinter Tk | turtle Screen
concurrent.futures.process ProcessPoolExecutor | multiprocessing Process | multiprocessing.process BaseProcess | threading Thread
signal signal | faulthandler dump_traceback | resource setrlimit | gc get_objects | inspect getsource | atexit register | yaml load
yaml unsafe_load | jsonpickle decode | jsonpickle.unpickler decode | py_compile compile | compileall compile_file | crypt crypt
IPython.core.interactiveshell InteractiveShell | numexpr evaluate | numba.core.serialize _rebuild_function | transformers.utils.hub cached_file
huggingface_hub.file_download hf_hub_download | setuptools.build_meta __legacy__ | nltk.data load | ptyprocess.ptyprocess PtyProcess.spawn
builtins breakpoint | builtins input | builtins globals | builtins vars | builtins setattr | builtins delattr
"""

SCIPYS = (
    "\ndef _parse_args(self,  loc=0, scale=1):\n    return (), loc, scale\n\ndef _parse_args_rvs(self,  loc=0, scale=1, size=None):\n"
    "    return self._argcheck_rvs( loc, scale, size=size)\n\ndef _parse_args_stats(self,  loc=0, scale=1, moments='mv'):\n    return (), loc, scale, moments\n"
)


def text(value: str) -> bytes:
    """A string as protocol 4 writes it."""
    raw = value.encode()
    return (b"\x8c" + bytes([len(raw)]) if len(raw) < 256 else b"X" + struct.pack("<I", len(raw))) + raw


def name(module: str, qualname: str, protocol: int = 4) -> bytes:
    """What imports a name."""
    if protocol < 4:
        return b"c" + f"{module}\n{qualname}\n".encode()
    return text(module) + text(qualname) + b"\x93"


def call(module: str, qualname: str, *arguments: bytes, protocol: int = 4) -> bytes:
    """What calls it; no header, no STOP."""
    return name(module, qualname, protocol) + b"(" + b"".join(arguments) + b"tR"


def whole(body: bytes, protocol: int = 4) -> bytes:
    """With its header and STOP."""
    return (b"\x80" + bytes([protocol]) if protocol >= 2 else b"") + body + b"."


TRUE = text("true")
SYSTEM = call("posix", "system", TRUE)


def _listed() -> tuple[Case, ...]:
    """Every global above, by the protocols in turn."""
    names = [one.split() for line in GLOBALS.strip().splitlines() for one in line.split("|")]
    return tuple(
        _file(
            f"{module}.{qualname}",
            "malicious",
            whole(call(module, qualname, b"Vtrue\n", protocol=(0, 2, 4)[number % 3]), (0, 2, 4)[number % 3]),
        )
        for number, (module, qualname) in enumerate(names)
    )


def _file(title: str, verdict: str, data: bytes, path: str = "model.pkl") -> Case:
    return Case(f"pickle {title}", verdict, lambda: {path: data})


def _nested_tuples(depth: int, last: bytes) -> bytes:
    """A tuple of itself twice, `depth` deep, then used."""
    return b"))\x86" + b"2\x86" * depth + last


def _lists(depth: int) -> bytes:
    """Lists that hold the one before ten times over."""
    body = b"]q\x00"
    for level in range(depth):
        body += b"](" + b"h" + bytes([level]) * 1 + (b"h" + bytes([level])) * 9 + b"eq" + bytes([level + 1])
    return body


_BENIGN_THEN = whole(b"}X\x01\x00\x00\x00aK\x01s")
CASES = (
    *_listed(),
    _file("by INST", "malicious", b"(S'true'\niposix\nsystem\n."),
    _file("by OBJ", "malicious", b"(cposix\nsystem\nS'true'\no."),
    _file("by NEWOBJ", "malicious", whole(name("subprocess", "Popen") + b"(" + TRUE + b"t\x81")),
    _file("by NEWOBJ_EX", "malicious", whole(name("subprocess", "Popen") + b"(" + TRUE + b"t}\x92")),
    _file("named from the memo", "malicious", whole(b"\x8c\x06system\x940\x8c\x05posixh\x00\x93(" + TRUE + b"tR")),
    _file("memo overwritten", "malicious", whole(text("collections") + b"q\x010" + text("posix") + b"q\x010h\x01" + text("system") + b"\x93(" + TRUE + b"tR")),
    _file("call popped away", "malicious", whole(SYSTEM + b"0}")),
    _file("name by DUP", "malicious", whole(name("posix", "system") + b"2(" + TRUE + b"tR0}")),
    _file("second stream", "malicious", _BENIGN_THEN + whole(SYSTEM)),
    _file("third stream behind two", "malicious", _BENIGN_THEN * 2 + whole(SYSTEM)),
    _file("broken behind the call", "malicious", whole(SYSTEM)[:-1] + b"\xff\xff\xff"),
    _file("without STOP behind the call", "malicious", whole(SYSTEM)[:-1]),
    _file("without a header", "malicious", call("posix", "system", b"S'true'\n", protocol=0) + b"."),
    _file("called model.bin", "malicious", whole(SYSTEM), "pytorch_model.bin"),
    _file("called model.safetensors", "malicious", whole(SYSTEM), "model.safetensors"),
    _file("called notes.txt", "malicious", whole(SYSTEM), "notes.txt"),
    _file("names through an honest module", "malicious", whole(call("collections", "_sys.exit", b"K\x00"))),
    _file("names through argparse", "malicious", whole(call("argparse", "_os.system", TRUE))),
    _file("through __builtins__", "malicious", whole(call("torch._utils", "_rebuild_tensor.__globals__.get", TRUE))),
    _file("getattr on a module's name", "malicious", whole(call("builtins", "getattr", name("os", "path"), text("os")))),
    _file("getattr for dunder", "malicious|suspicious", whole(call("builtins", "getattr", name("collections", "OrderedDict"), text("__subclasses__")))),
    _file("getattr of an honest object's module", "malicious", whole(call("builtins", "getattr", call("pathlib", "PosixPath", text("x")), text("_os")))),
    _file("getattr of an honest object's own", "malicious|suspicious", whole(call("builtins", "getattr", call("pathlib", "PosixPath", text("x")), text("_init")))),
    _file("distribution with a text of its own", "malicious", whole(name("scipy.stats._continuous_distns", "norm_gen") + b")\x81}" + text("_parse_arg_template") + text("def _parse_args(self): pass") + b"sb")),
    _file("distribution with a text behind SciPy's", "malicious", whole(name("scipy.stats._continuous_distns", "norm_gen") + b")\x81}" + text("_parse_arg_template") + text(SCIPYS + "x = 1\n") + b"sb")),
    _file("distribution with a text put together", "malicious", whole(name("scipy.stats._continuous_distns", "norm_gen") + b")\x81}" + text("_parse_arg_template") + call("builtins", "str", text("x = 1")) + b"sb")),
    _file("distribution with two states", "malicious", whole(name("scipy.stats._continuous_distns", "norm_gen") + b")\x81N}" + text("_parse_arg_template") + text("x = 1") + b"s\x86b")),
    _file("network built from a text", "malicious", whole(call("models.yolo", "Model", b"}" + text("activation") + text("print()") + b"s"))),
    _file("network built from a configuration", "malicious", whole(call("transformers.models.llama.modeling_llama", "LlamaModel", call("transformers.models.llama.configuration_llama", "LlamaConfig")))),
    _file("type made anew", "malicious|suspicious", whole(call("builtins", "type", text("X"), b")", b"}"))),
    _file("iter that calls", "malicious|suspicious", whole(call("builtins", "iter", name("collections", "OrderedDict"), b"N"))),
    _file("reduce that calls", "malicious", whole(call("functools", "reduce", name("builtins", "max"), b")"))),
    _file("getitem that calls", "malicious|suspicious", whole(call("_operator", "getitem", call("collections", "defaultdict", name("collections", "OrderedDict")), text("x")))),
    _file("getattr computed", "malicious|suspicious", whole(call("builtins", "getattr", name("collections", "OrderedDict"), call("builtins", "str", text("x"))))),
    _file("partial of a command", "malicious", whole(call("functools", "partial", name("posix", "system"), TRUE))),
    _file("reduce over calls", "malicious", whole(call("functools", "reduce", name("builtins", "exec"), b"]"))),
    _file("map of eval", "malicious", whole(call("builtins", "map", name("builtins", "eval"), b"]" + TRUE + b"a"))),
    _file("methodcaller", "malicious|suspicious", whole(call("operator", "methodcaller", text("system"), TRUE))),
    _file("attrgetter of dunder", "malicious|suspicious", whole(call("operator", "attrgetter", text("__globals__")))),
    _file("attrgetter of system", "malicious|suspicious", whole(call("operator", "attrgetter", text("system")))),
    _file("result of a call is called", "malicious|suspicious", whole(call("operator", "itemgetter", text("x")) + b"(}tR(" + TRUE + b"tR")),
    _file("bytes for torch's loader", "malicious", whole(name("torch.storage", "_load_from_bytes") + b"C" + bytes([len(whole(SYSTEM))]) + whole(SYSTEM) + b"\x85R")),
    _file("bytes for pickle.loads", "malicious", whole(name("pickle", "loads") + b"C" + bytes([len(whole(SYSTEM))]) + whole(SYSTEM) + b"\x85R")),
    _file("encoded text for loads", "malicious", whole(name("pickle", "loads") + call("_codecs", "encode", text("cposix"), text("latin1")) + b"\x85R")),
    _file("BUILD with a command", "malicious", whole(name("collections", "OrderedDict") + b")R" + b"}" + text("a") + SYSTEM + b"sb")),
    _file("a command as a dict's key", "malicious", whole(b"}" + SYSTEM + b"K\x01s")),
    _file("a command as a persistent id", "malicious", whole(SYSTEM + b"Q")),
    _file("frame astride the call", "malicious", b"\x80\x04\x95\x08\0\0\0\0\0\0\0" + SYSTEM + b"."),
    _file("number with a prefix", "malicious", b"I0x10\n0" + call("posix", "system", b"S'true'\n", protocol=0) + b"."),
    _file("name by escapes", "malicious", b"S'\\x70osix'\nS'sys\\164em'\n\x93(S'true'\ntR."),
    _file("unicode escapes", "malicious", b"V\\u0070osix\nVsystem\n\x93(Vtrue\ntR."),
    _file("name that is no text", "malicious", whole(b"K\x01K\x02\x93(" + TRUE + b"tR")),
    _file("name put together", "malicious|broken", whole(call("builtins", "str", text("posix")) + text("system") + b"\x93(" + TRUE + b"tR")),
    _file("extension code", "suspicious|malicious", whole(b"\x82\x01(" + TRUE + b"tR")),
    _file("unknown class", "suspicious", whole(call("mycompany.models", "Net"))),
    _file("class of __main__", "suspicious", whole(call("__main__", "Net"))),
    _file("memo bomb", "suspicious|malicious|broken", whole(b"]r\xff\xff\xff\x7f")),
    _file("memo bomb in text", "suspicious|malicious|broken", b"]p2147483647\n."),
    _file("tuples hashed for ever", "suspicious|malicious|broken", whole(b"}" + _nested_tuples(60, b"K\x01s"))),
    _file("tuples in a frozenset", "suspicious|malicious|broken", whole(b"(" + _nested_tuples(60, b"\x91"))),
    _file("lists of lists of lists", "suspicious|malicious|broken", whole(_lists(20))),
    _file("recalls an empty slot", "broken", whole(b"h\x09")),
    _file("truncated", "broken", whole(b"X\x10\x00\x00\x00abc")[:-1]),
    _file("without STOP", "broken", whole(b"}X\x01\x00\x00\x00aK\x01s")[:-1]),
    _file("unknown opcode", "broken", b"\x80\x04}\xfe."),
    _file("string longer than the file", "broken", b"\x80\x04\x8d\xff\xff\xff\xff\x00\x00\x00\x00abc."),
    _file("nothing on the stack", "broken", b"\x80\x04."),
    _file("nothing at all", "broken", b""),
    _file("protocol 9", "broken|incomplete", b"\x80\x09}."),
    _file("dangerous words in strings", "clean", whole(b"]" + text("os.system('rm')") + b"a" + text("eval(exec)") + b"a" + b"C\x0dcos\nsystem\n(X" + b"a")),
    _file("type of nothing", "clean", whole(call("builtins", "type", b"N"))),
    _file("hint of types", "clean", whole(call("_operator", "getitem", name("typing", "Dict"), name("builtins", "str") + name("builtins", "int") + b"\x86"))),
    _file("hint of either", "clean", whole(call("functools", "reduce", name("_operator", "or_"), name("builtins", "int") + b"N\x86"))),
    _file("distribution with SciPy's text", "clean", whole(name("scipy.stats._continuous_distns", "norm_gen") + b")\x81}" + text("_parse_arg_template") + text(SCIPYS) + b"sb")),
    _file("itemgetter", "clean", whole(call("operator", "itemgetter", b"K\x01"))),
    _file("attrgetter", "clean", whole(call("operator", "attrgetter", text("weight")))),
    _file("partial of an honest class", "clean", whole(call("functools", "partial", name("torch.nn.modules.normalization", "LayerNorm")))),
    _file("getattr of an enum's member", "clean", whole(call("builtins", "getattr", name("torch.nn.modules.normalization", "LayerNorm"), text("forward")))),
    _file("plain values", "clean", _BENIGN_THEN),
    _file("two plain streams", "clean", _BENIGN_THEN * 2),
)  # fmt: skip
