"""Pickles that call one importable thing: what advisories, papers and audits of scanners have named."""

from tools.attacks.opcodes import INERT, call, classic, stacked, text, whole

KNOWN = """
posix.system nt.system os.system os.popen os.execvp os.spawnl os.startfile os._exit os.remove os.putenv
subprocess.Popen subprocess.check_output subprocess.getoutput _posixsubprocess.fork_exec _winapi.CreateProcess
builtins.eval builtins.exec builtins.compile builtins.__import__ builtins.open builtins.breakpoint builtins.input
__builtin__.eval __builtin__.execfile __builtin__.apply __builtin__.file commands.getoutput popen2.popen2
runpy._run_code runpy.run_path runpy.run_module pty.spawn pip.main pip._internal.cli.main.main
importlib.import_module importlib.__import__ importlib._bootstrap._gcd_import importlib.machinery.SourceFileLoader
pkgutil.resolve_name pydoc.pipepager pydoc.locate timeit.timeit timeit.main cProfile.run cProfile.runctx profile.run
pdb.run bdb.Bdb trace.Trace doctest.debug_script code.interact code.InteractiveInterpreter codeop.compile_command
ctypes.CDLL ctypes.PyDLL ctypes.string_at ctypes.memmove _ctypes.dlopen cffi.FFI socket.create_connection
socket.socket urllib.request.urlopen urllib.request.urlretrieve urllib.request.Request http.client.HTTPSConnection
httplib.HTTPSConnection smtplib.SMTP ftplib.FTP telnetlib.Telnet poplib.POP3 nntplib.NNTP xmlrpc.client.ServerProxy
socketserver.TCPServer http.server.HTTPServer webbrowser.open ssl.get_server_certificate requests.get
requests.api.get aiohttp.request httpx.get shutil.rmtree shutil.copyfile shutil.move shutil.unpack_archive
logging.FileHandler logging.config.dictConfig logging.config.listen logging.handlers.SocketHandler _io.FileIO
_io.open io.open io.FileIO codecs.open tempfile.NamedTemporaryFile uuid._get_command_stdout imaplib.IMAP4_stream
_osx_support._find_build_tool _osx_support._read_output _aix_support._read_cmd_output _pyrepl.pager.pipe_pager
test.support.script_helper.assert_python_ok ensurepip._run_pip ensurepip.bootstrap venv.create
asyncio.create_subprocess_shell asyncio.run multiprocessing.util.spawnv_passfds multiprocessing.Process
multiprocessing.popen_fork.Popen mlflow.projects.backend.local._run_entry_point pandas.read_pickle pandas.eval
pandas.io.pickle.read_pickle pandas.io.parsers.readers.read_csv pandas.core.computation.eval.eval numpy.load
numpy.f2py.crackfortran.getlincoef numpy.f2py.crackfortran._eval_length numpy.testing._private.utils.runstring
numpy.ctypeslib.load_library numpy.distutils.exec_command.exec_command numpy.lib.npyio.load numpy.save numpy.memmap
joblib.load joblib.numpy_pickle.load torch.load torch.serialization.load torch.jit.load torch.hub.load
torch.hub.download_url_to_file torch.hub.load_state_dict_from_url torch.ops.load_library torch.utils.collect_env.run
torch.utils.cpp_extension.load_inline torch.utils.cpp_extension.load torch._inductor.codecache.compile_file
torch.jit.unsupported_tensor_ops.execWrapper torch.utils.bottleneck.__main__.run_cprofile
torch.utils.bottleneck.__main__.run_autograd_prof torch.utils.data.datapipes.utils.decoder.basichandlers
torch.classes.load_library torch.save torch.package.PackageImporter torch.storage._load_from_bytes
torch.distributed.rpc.rpc_sync torch.utils.model_zoo.load_url torch._C._jit_pass_x torch.multiprocessing.spawn
transformers.models.auto.auto_factory.getattribute_from_module transformers.AutoModel transformers.pipeline
transformers.dynamic_module_utils.get_class_from_dynamic_module
transformers.utils.import_utils.direct_transformers_import
cloudpickle.cloudpickle._make_function cloudpickle.cloudpickle.subimport cloudpickle.cloudpickle._builtin_type
cloudpickle.loads dill.loads dill._dill._create_function dill._dill._import_module dill._dill._create_code
dill._dill._load_type types.CodeType types.FunctionType marshal.loads marshal.load functools.reduce
operator.methodcaller operator.attrgetter _operator.attrgetter _operator.methodcaller builtins.map builtins.filter
builtins.getattr builtins.setattr builtins.delattr builtins.__build_class__ builtins.globals builtins.vars
builtins.type builtins.memoryview sys.exit sys.setprofile sys.settrace sys.modules sys._getframe sys.setrecursionlimit
pickle.loads pickle.load pickle.Unpickler _pickle.loads _pickle.Unpickler shelve.open dbm.open sqlite3.connect
zipimport.zipimporter zipfile.ZipFile tarfile.open distutils.spawn.spawn distutils.file_util.write_file
setuptools._distutils.spawn.spawn setuptools.sandbox.run_setup pkg_resources.run_script platform.popen
yaml.load yaml.unsafe_load jsonpickle.decode jinja2.Template jinja2.Environment huggingface_hub.hf_hub_download
huggingface_hub.snapshot_download tensorflow.io.write_file tensorflow.keras.models.load_model keras.models.load_model
keras.saving.load_model keras.utils.get_file keras.config.enable_unsafe_deserialization tensorflow.load_library
tensorflow.raw_ops.WriteFile atexit.register threading.Thread threading.Timer signal.signal signal.raise_signal
faulthandler._sigsegv gc.get_objects inspect.getattr_static inspect.currentframe site.addsitedir fileinput.input
linecache.getlines glob.glob pathlib.Path.write_text concurrent.futures.ProcessPoolExecutor sched.scheduler
turtle.TK tkinter.Tcl antigravity.geohash this.s py_compile.compile compileall.compile_dir zipapp.create_archive
xml.sax.parse curses.wrapper readline.read_init_file resource.setrlimit mmap.mmap getpass.getpass
wsgiref.simple_server.make_server lib2to3.pgen2.driver.load_grammar nturl2path.url2pathname mailcap.findmatch
IPython.core.interactiveshell.InteractiveShell scipy.io.loadmat sklearn.datasets.load_files fsspec.open
paramiko.SSHClient psutil.Popen sh.Command pexpect.spawn fabric.Connection docker.from_env boto3.client git.Repo
onnxruntime.InferenceSession langchain.llms.loading.load_llm ray.remote dask.delayed nltk.data.load
"""

DOTTED = """
bdb:Bdb.run code:InteractiveInterpreter.runcode trace:Trace.runctx lib2to3.pgen2.grammar:Grammar.loads
lib2to3.pgen2.pgen:ParserGenerator.make_label idlelib.pyshell:ModifiedInterpreter.runcode
idlelib.run:Executive.runcode idlelib.calltip:Calltip.fetch_tip idlelib.debugobj:ObjectTreeItem.SetText
idlelib.autocomplete:AutoComplete.get_entity asyncio.unix_events:_UnixSubprocessTransport._start
torch.fx.experimental.symbolic_shapes:ShapeEnv.evaluate_guards_expression
torch.utils._config_module:ConfigModule.load_config torch._dynamo.guards:GuardBuilder.get
collections:_sys.modules collections:OrderedDict.__reduce__ torch:nn.Module.__init__.__globals__
torch:serialization.os.system torch:storage.pickle.loads numpy:f2py.os.system numpy:core._internal.ctypes.CDLL
numpy:random._pickle.__builtins__ sklearn.utils:os.system re:sre_compile.sys.modules random:_os.system
copyreg:_reconstructor.__globals__ torch._utils:_rebuild_tensor_v2.__globals__ collections:abc.sys.exit
functools:partial.__new__ torch:FloatTensor.__class__ numpy:ndarray.tofile pathlib:Path.write_bytes
builtins:str.__class__.__base__.__subclasses__ builtins:print.__self__.eval torch:hub.load
"""


def cases() -> dict[str, dict[str, bytes]]:
    found = {}
    for number, name in enumerate(KNOWN.split()):
        module, _, attribute = name.rpartition(".")
        written = (classic, stacked)[number % 2](module, attribute)
        protocol = (2, 4)[number % 2]
        found[f"pkl/{name}"] = {"model.pkl": whole(call(written, text(INERT)), protocol=protocol)}
    for number, name in enumerate(DOTTED.split()):
        module, _, attribute = name.partition(":")
        body = call(stacked(module, attribute), text(INERT))
        found[f"pkl/dotted {module} {attribute}"] = {"model.pkl": whole(body, protocol=4 + number % 2)}
    return found
