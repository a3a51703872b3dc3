"""The curated halves of the allow-lists, as plain words.

Each list names what was looked at and found to read, compute or describe, and
to hand out neither modules nor files nor the JVM. What is not named is refused.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# --- names -------------------------------------------------------------------

BUILTINS = _words("""
    abs all any ascii bin bool bytearray bytes callable chr classmethod complex dict divmod
    enumerate filter float format frozenset hash hex int isinstance issubclass iter len list map
    max min next object oct ord pow print property range repr reversed round set slice sorted
    staticmethod str sum tuple type zip NotImplemented Ellipsis
    ArithmeticError AssertionError AttributeError Exception FloatingPointError IndexError KeyError
    LookupError NotImplementedError OverflowError RuntimeError StopIteration TypeError
    UnicodeDecodeError UnicodeEncodeError UnicodeError ValueError Warning UserWarning
    ZeroDivisionError NameError ImportError ModuleNotFoundError OSError IOError FileNotFoundError
    PermissionError TimeoutError ConnectionError RecursionError MemoryError DeprecationWarning
    FutureWarning RuntimeWarning
""")

# Names of builtins in any supported Python, and what an interactive shell adds: a module-level
# name of these may still mean the builtin before (or after) the cell binds it.
BUILTINS_REFUSED = _words("""
    __import__ aiter anext breakpoint compile copyright credits delattr dir eval exec exit
    get_ipython getattr globals hasattr help id input license locals memoryview open quit setattr
    super vars BaseException GeneratorExit KeyboardInterrupt SystemExit
""")

SPECIAL_METHODS = _words("""
    __init__ __call__ __repr__ __str__ __len__ __iter__ __next__ __contains__ __getitem__ __eq__
    __ne__ __lt__ __le__ __gt__ __ge__ __hash__ __bool__ __post_init__
""")

# --- modules -----------------------------------------------------------------

_PANDAS = _words("""
    ArrowDtype BooleanDtype Categorical CategoricalDtype CategoricalIndex DataFrame DateOffset
    DatetimeIndex DatetimeTZDtype Float32Dtype Float64Dtype Grouper Index Int16Dtype Int32Dtype
    Int64Dtype Int8Dtype Interval IntervalIndex MultiIndex NA NaT Period PeriodIndex RangeIndex
    Series StringDtype Timedelta TimedeltaIndex Timestamp UInt16Dtype UInt32Dtype UInt64Dtype
    UInt8Dtype array bdate_range concat crosstab cut date_range factorize get_dummies infer_freq
    interval_range isna isnull json_normalize lreshape melt merge merge_asof merge_ordered notna
    notnull offsets period_range pivot pivot_table qcut timedelta_range to_datetime to_numeric
    to_timedelta unique wide_to_long api tseries NamedAgg
""")

_NUMPY = _words("""
    abs absolute add all allclose amax amin any append apply_along_axis arange arccos arccosh arcsin
    arcsinh arctan arctan2 arctanh argmax argmin argpartition argsort argwhere around array
    array_equal array_split asarray asfarray atleast_1d atleast_2d average bincount bitwise_and
    bitwise_or bitwise_xor bool bool_ broadcast_to cbrt ceil choose clip column_stack complex128
    compress concatenate convolve copy copysign corrcoef correlate cos cosh count_nonzero cov cross
    cumprod cumsum datetime64 deg2rad degrees diag diff digitize divide divmod dot double dstack
    dtype e empty empty_like equal exp exp2 expand_dims expm1 extract eye fabs finfo flatnonzero
    flip fliplr float16 float32 float64 floating floor floor_divide fmax fmin fmod full full_like
    gcd geomspace gradient greater greater_equal heaviside histogram hstack hypot identity iinfo
    in1d inf inner insert int16 int32 int64 int8 int_ integer interp intersect1d invert is_busday
    isclose isfinite isin isinf isnan isscalar lcm less less_equal lexsort linalg linspace log log10
    log1p log2 logaddexp logical_and logical_not logical_or logical_xor logspace max maximum mean
    median meshgrid min minimum mod multiply nan nan_to_num nanargmax nanargmin nancumsum nanmax
    nanmean nanmedian nanmin nanpercentile nanprod nanquantile nanstd nansum nanvar ndarray ndim
    negative newaxis nonzero not_equal number object_ ones ones_like outer partition percentile
    piecewise pi polyfit polyval power prod ptp quantile rad2deg radians random ravel reciprocal
    remainder repeat reshape rint roll rot90 round row_stack searchsorted select setdiff1d shape
    sign signbit sin sinc sinh size sort split sqrt square squeeze stack std str_ subtract sum
    swapaxes take tan tanh tensordot tile timedelta64 trace transpose trapezoid trapz tri tril triu
    trunc uint16 uint32 uint64 uint8 union1d unique unravel_index var vdot vectorize vstack where
    zeros zeros_like busday_count nper
""")

_SQL_PACKAGE = _words("""
    Column DataFrame GroupedData Row SparkSession Window WindowSpec functions types window
""")

_ERRORS = _words("""
    AnalysisException ArithmeticException ArrayIndexOutOfBoundsException DateTimeException
    IllegalArgumentException NumberFormatException ParseException PySparkException
    PySparkTypeError PySparkValueError PythonException QueryExecutionException
    SparkRuntimeException TempTableAlreadyExistsException
""")

MODULES: dict[str, frozenset[str]] = {
    "__future__": _words("annotations"),
    "abc": _words("ABC abstractmethod"),
    "pyspark": _words("sql StorageLevel errors"),
    "pyspark.errors": _ERRORS,
    "pyspark.errors.exceptions.base": _ERRORS,
    "pyspark.errors.exceptions.captured": _ERRORS,
    "pyspark.sql.utils": _ERRORS,
    "pyspark.sql": _SQL_PACKAGE,
    "pyspark.sql.window": _words("Window WindowSpec"),
    "pyspark.sql.column": _words("Column"),
    "pyspark.sql.dataframe": _words("DataFrame"),
    "pyspark.sql.session": _words("SparkSession"),
    "pyspark.storagelevel": _words("StorageLevel"),
    "datetime": _words("date datetime time timedelta timezone tzinfo MINYEAR MAXYEAR UTC"),
    "decimal": _words("""
        Decimal ROUND_CEILING ROUND_DOWN ROUND_FLOOR ROUND_HALF_DOWN ROUND_HALF_EVEN ROUND_HALF_UP
        ROUND_UP ROUND_05UP InvalidOperation DivisionByZero getcontext localcontext
    """),
    "math": _words("""
        acos acosh asin asinh atan atan2 atanh cbrt ceil comb copysign cos cosh degrees dist e erf
        erfc exp exp2 expm1 fabs factorial floor fmod frexp fsum gamma gcd hypot inf isclose
        isfinite isinf isnan isqrt lcm ldexp lgamma log log10 log1p log2 modf nan nextafter perm pi
        pow prod radians remainder sin sinh sqrt tan tanh tau trunc ulp
    """),
    "re": _words("""
        compile escape findall finditer fullmatch match search split sub subn error Match Pattern
        A ASCII DOTALL I IGNORECASE M MULTILINE S U UNICODE VERBOSE X
    """),
    "json": _words("dumps loads JSONDecodeError"),
    "statistics": _words("""
        NormalDist StatisticsError correlation covariance fmean geometric_mean harmonic_mean
        linear_regression mean median median_grouped median_high median_low mode multimode pstdev
        pvariance quantiles stdev variance
    """),
    "functools": _words("""
        cache cached_property cmp_to_key lru_cache partial reduce total_ordering wraps
    """),
    "itertools": _words("""
        accumulate chain combinations combinations_with_replacement compress count cycle dropwhile
        filterfalse groupby islice pairwise permutations product repeat starmap takewhile tee
        zip_longest
    """),
    "collections": _words("ChainMap Counter OrderedDict abc defaultdict deque namedtuple"),
    "collections.abc": _words("""
        Callable Collection Container Generator Hashable Iterable Iterator Mapping MutableMapping
        MutableSequence MutableSet Sequence Set Sized
    """),
    "typing": _words("""
        AbstractSet AnyStr ChainMap Concatenate Container ItemsView KeysView Match NewType
        NotRequired OrderedDict ParamSpec Pattern Required Reversible Self SupportsFloat SupportsInt
        Text TypeAlias TypeGuard ValuesView final overload
        Any Callable ClassVar Collection Counter DefaultDict Deque Dict Final FrozenSet Generator
        Generic Hashable Iterable Iterator List Literal Mapping MutableMapping NamedTuple NoReturn
        Optional Protocol Sequence Set Sized Tuple Type TypedDict TypeVar TYPE_CHECKING Union cast
    """),
    "string": _words("""
        ascii_letters ascii_lowercase ascii_uppercase capwords digits hexdigits octdigits
        punctuation whitespace
    """),
    "operator": _words("""
        add and_ concat contains eq floordiv ge getitem gt inv invert itemgetter le lt mod mul ne
        neg not_ or_ pos pow sub truediv truth xor
    """),
    "dataclasses": _words("dataclass field asdict astuple replace"),
    "enum": _words("Enum Flag IntEnum IntFlag StrEnum auto unique"),
    "fractions": _words("Fraction"),
    "calendar": _words("day_abbr day_name isleap monthrange month_abbr month_name weekday"),
    "bisect": _words("bisect bisect_left bisect_right insort"),
    "heapq": _words("heapify heappop heappush merge nlargest nsmallest"),
    "copy": _words("copy deepcopy"),
    "random": _words("""
        Random betavariate choice choices expovariate gauss normalvariate randint random randrange
        sample seed shuffle triangular uniform
    """),
    "pprint": _words("pformat pp pprint"),
    "textwrap": _words("dedent fill indent shorten wrap"),
    "time": _words("perf_counter monotonic time"),
    "hashlib": _words("blake2b md5 sha1 sha224 sha256 sha384 sha512"),
    "unicodedata": _words("category combining name normalize numeric"),
    "uuid": _words("UUID uuid3 uuid4 uuid5 NAMESPACE_DNS NAMESPACE_OID NAMESPACE_URL"),
    "zoneinfo": _words("ZoneInfo"),
    "pandas": _PANDAS,
    "pyarrow": _words("""
        Array ChunkedArray RecordBatch Schema Table array binary bool_ chunked_array compute
        concat_tables date32 decimal128 dictionary field float32 float64 int16 int32 int64 int8
        list_ map_ null record_batch scalar schema string struct table timestamp uint16 uint32
        uint64 uint8
    """),
    "pyarrow.compute": _words("""
        abs add and_ binary_length cast ceil coalesce count count_distinct day day_of_week divide
        equal exp field fill_null filter floor greater greater_equal hour if_else index_in invert
        is_in is_nan is_null is_valid less less_equal ln log10 log2 max mean min min_max minute mode
        month multiply negate not_equal or_ power quantile replace_substring round scalar second
        sort_indices sqrt stddev strftime strptime subtract sum take unique utf8_length utf8_lower
        utf8_slice_codeunits utf8_trim_whitespace utf8_upper value_counts variance xor year
    """),
    "pandas.api": _words("types"),
    "pandas.api.types": _words("""
        CategoricalDtype is_bool is_bool_dtype is_categorical_dtype is_datetime64_any_dtype
        is_datetime64_dtype is_dict_like is_float is_float_dtype is_integer is_integer_dtype
        is_list_like is_number is_numeric_dtype is_object_dtype is_scalar is_string_dtype
    """),
    "pandas.tseries": _words("offsets"),
    "pandas.tseries.offsets": _words("""
        BDay BMonthBegin BMonthEnd BusinessDay DateOffset Day Hour Minute MonthBegin MonthEnd
        QuarterBegin QuarterEnd Second Week YearBegin YearEnd
    """),
    "pandas.offsets": _words("""
        BDay BMonthBegin BMonthEnd BusinessDay DateOffset Day Hour Minute MonthBegin MonthEnd
        QuarterBegin QuarterEnd Second Week YearBegin YearEnd
    """),
    "numpy": _NUMPY,
    "numpy.random": _words("""
        Generator RandomState beta binomial choice default_rng exponential gamma geometric lognormal
        multinomial multivariate_normal normal permutation poisson rand randint randn random
        random_sample seed shuffle standard_normal triangular uniform
    """),
    "numpy.linalg": _words("""
        LinAlgError cond det eig eigh eigvals inv lstsq matrix_rank norm pinv qr slogdet solve svd
    """),
}  # fmt: skip

# Modules that may be star-imported, of which this binds what may be used; see the policy for more.
STAR: dict[str, frozenset[str]] = {
    "pyspark.sql": _words("Column DataFrame GroupedData Row SparkSession Window WindowSpec"),
    **{
        name: MODULES[name]
        for name in ("pyspark.sql.window", "datetime", "decimal", "typing", "collections")
    },
}

# Modules whose top names only; listed by the message of PY-IMPORT.
COMMON_MODULES = (
    "datetime", "decimal", "math", "re", "json", "statistics", "functools", "itertools",
    "collections", "typing",
)  # fmt: skip

CLASSES: dict[str, frozenset[str]] = {
    "pyspark.sql.SparkSession": _words("builder"),
    "pyspark.sql.session.SparkSession": _words("builder"),
    "pyspark.sql.DataFrame": _words("""
        crossJoin intersect intersectAll exceptAll join subtract union unionAll unionByName
    """),
    "pyspark.sql.dataframe.DataFrame": _words("union unionAll unionByName join intersect"),
    "pyspark.sql.Column": frozenset(),
    "pyspark.sql.column.Column": frozenset(),
    "pyspark.sql.GroupedData": frozenset(),
    "pyspark.sql.Row": frozenset(),
    "pyspark.sql.WindowSpec": frozenset(),
    "pyspark.sql.window.WindowSpec": frozenset(),
}  # fmt: skip

# Runs Java by name, defines table functions (whose classes Spark calls into), or opens files that
# an option names.
FUNCTIONS_LEFT_OUT = _words("""
    AnalyzeArgument AnalyzeResult OrderingColumn PartitioningColumn SelectedColumn
    SkipRestOfInputTableException UserDefinedFunction UserDefinedTableFunction
    reflect java_method try_reflect udtf arrow_udtf from_xml schema_of_xml
""")

# --- attributes --------------------------------------------------------------

_SPARK = _words("""
    agg alias approxQuantile cache coalesce colRegex collect columns corr count cov
    createOrReplaceTempView createTempView crossJoin crosstab cube describe distinct drop
    dropDuplicates dropDuplicatesWithinWatermark drop_duplicates dropna dtypes exceptAll exists
    explain fillna filter first
    freqItems groupBy groupby groupingSets head hint intersect intersectAll isEmpty isLocal
    isStreaming join lateralJoin limit localCheckpoint mapInArrow mapInPandas melt metadataColumn na
    offset orderBy persist printSchema randomSplit repartition repartitionByRange registerTempTable
    replace rollup sameSemantics sample sampleBy scalar schema select selectExpr semanticHash show
    sort sortWithinPartitions stat storageLevel subtract summary tail take to toArrow toDF
    toLocalIterator toPandas transform transpose union unionAll unionByName unpersist unpivot where
    withColumn withColumnRenamed withColumns withColumnsRenamed withMetadata withWatermark
    fill asc asc_nulls_first asc_nulls_last astype between bitwiseAND bitwiseOR bitwiseXOR cast
    contains desc desc_nulls_first desc_nulls_last dropFields endswith eqNullSafe getField getItem
    ilike isNaN isNotNull isNull isin like name otherwise outer over rlike startswith substr
    try_cast
    when withField applyInPandas applyInArrow apply avg cogroup max mean min pivot sum
    sql table createDataFrame range udf register version asNondeterministic
    currentRow partitionBy rangeBetween rowsBetween unboundedFollowing unboundedPreceding
    asDict add fieldNames fields names dataType nullable elementType containsNull keyType valueType
    valueContainsNull simpleString typeName jsonValue toDDL fromDDL treeString precision scale
    needConversion getCondition getErrorClass getMessage getSqlState
    DISK_ONLY DISK_ONLY_2 DISK_ONLY_3 MEMORY_AND_DISK MEMORY_AND_DISK_2 MEMORY_AND_DISK_DESER
    MEMORY_ONLY MEMORY_ONLY_2 OFF_HEAP NONE
""")

_PYTHON = _words("""
    capitalize casefold center count decode encode endswith expandtabs find index isalnum isalpha
    isascii isdecimal isdigit isidentifier islower isnumeric isprintable isspace istitle isupper
    join ljust lower lstrip maketrans partition removeprefix removesuffix replace rfind rindex
    rjust rpartition rsplit rstrip split splitlines startswith strip swapcase title translate upper
    zfill hex fromhex append clear copy extend insert pop remove reverse sort fromkeys get items
    keys popitem setdefault update values add difference difference_update discard intersection
    intersection_update isdisjoint issubset issuperset symmetric_difference
    symmetric_difference_update union as_integer_ratio bit_count bit_length conjugate imag
    is_integer numerator denominator real to_bytes from_bytes start stop_ step send
    setter getter deleter
    appendleft extendleft maxlen popleft rotate elements most_common subtract total move_to_end
    new_child maps parents default_factory cache_clear cache_info from_iterable value
    date day dst fold fromisocalendar fromisoformat fromordinal fromtimestamp hour isocalendar
    isoformat isoweekday max microsecond min minute month now second strftime strptime time
    timestamp timetuple timetz today toordinal total_seconds tzinfo tzname utc utcfromtimestamp
    utcnow utcoffset weekday year days seconds microseconds resolution combine astimezone
    adjusted as_tuple compare copy_abs copy_negate exp is_finite is_infinite is_nan is_signed
    is_zero ln log10 normalize quantize remainder_near same_quantum scaleb sqrt to_integral
    to_integral_value prec rounding
    end endpos expand group groupdict groupindex groups lastgroup lastindex pos re string span
    pattern flags findall finditer fullmatch match search sub subn
    cdf from_samples inv_cdf mean median mode overlap pdf quantiles samples stdev variance zscore
    slope intercept limit_denominator digest hexdigest bytes int urn key
    choice choices gauss normalvariate randint random randrange sample seed shuffle triangular
    uniform
""") - {"stop_"}

_PANDAS_OBJECTS = _words("""
    T abs add add_prefix add_suffix agg aggregate align all any append apply applymap argmax argmin
    argsort array asfreq asof assign astype at at_time autocorr axes between between_time bfill bool
    cat categories ceil clip codes columns combine combine_first compare convert_dtypes copy corr
    corrwith count cov cummax cummin cumprod cumsum cumcount cut date day day_name day_of_week
    day_of_year dayofweek dayofyear days days_in_month daysinmonth describe diff difference div
    divide dot drop drop_duplicates droplevel dropna dt dtype dtypes duplicated empty eq equals ewm
    expanding explode extract extractall factorize ffill fillna filter first first_valid_index floor
    floordiv freq from_arrays from_dict from_product from_records from_tuples ge get get_dummies
    get_group get_level_values get_loc group groupby groups gt hasnans head hour iat idxmax idxmin
    iloc index indices infer_objects insert interpolate intersection is_leap_year
    is_month_end is_month_start is_monotonic_decreasing is_monotonic_increasing is_quarter_end
    is_quarter_start is_unique is_year_end is_year_start isin isna isnull isocalendar item items
    iterrows itertuples join keys kurt kurtosis last last_valid_index le left len length levels loc
    lt map mask max mean median melt merge microsecond mid min minute mod mode month month_name
    mul multiply nanosecond ndim ne ngroup nlargest normalize notna notnull nsmallest nth nunique
    ohlc pad pct_change pipe pivot pivot_table pop pow prod product quantile quarter radd rank ravel
    rdiv rename rename_axis reindex reindex_like remove_unused_categories reorder_categories
    reorder_levels repeat replace resample reset_index rfloordiv right rmod rmul rolling round rpow
    rsub rtruediv sample searchsorted second select_dtypes sem set_axis set_categories set_index
    set_names shape shift size skew slice slice_replace sort_index sort_values squeeze stack std str
    strftime sub subtract sum swaplevel symmetric_difference tail take time timestamp timetz
    to_dict to_flat_index to_frame to_list to_numpy to_period to_pydatetime to_pytimedelta to_series
    to_timestamp tolist total_seconds transform transpose truediv truncate tz tz_convert tz_localize
    union unique unstack update value_counts values var weekday weekofyear where wrap xs year zfill
    add_categories as_ordered as_unordered cumulative fullmatch dayofyear is_empty itemsize
    memory_usage nbytes info insert isetitem levshape nlevels closed overlaps unit as_unit week
    ordered rename_categories casefold contains rollback rollforward offset mid
""")

_NUMPY_OBJECTS = _words("""
    argpartition astype choose clip compress conj cumprod cumsum diagonal dot fill flat flatten item
    itemsize nonzero ptp ravel real reshape resize_ round searchsorted sort squeeze std strides
    swapaxes take tobytes tolist trace transpose var accumulate at outer reduce eps tiny kind
    integers permutation standard_normal normal poisson binomial exponential gamma beta lognormal
    rand randn random_sample shuffle coef nin nout
""") - {"resize_"}

# pyarrow's tables and batches inside mapInArrow and applyInArrow.
_ARROW_OBJECTS = _words("""
    add_column append_column as_py cast column column_names combine_chunks drop_columns drop_null
    field fill_null filter from_arrays from_batches from_pandas from_pydict from_pylist
    get_field_index group_by is_null is_valid null_count num_columns num_rows remove_column
    rename_columns select set_column slice sort_by take to_batches to_numpy to_pandas to_pydict
    to_pylist value_counts
""")

ATTRIBUTES = _SPARK | _PYTHON | _PANDAS_OBJECTS | _NUMPY_OBJECTS | _ARROW_OBJECTS

# Common words for columns that some library class has as plain data: they may be read, not called.
READABLE = _words("""
    area cause close df list log method next num object online open power release root set sign
    storage
    A H I Y c f n o r GROUPED_AGG GROUPED_MAP SCALAR SCALAR_ITER active address base body book
    browser category child cid classification code color
    components
    context country cores currency current data database degree density description destination
    device device_id district duration engine error errors field_id filename frequency gender
    height id identity input json key kind label lat level levels line lineno location lon manager
    memory metadata message msg node number objects order orders orientation origin output owner
    parent parents path pattern percentage pool port position price priority product profile
    quality quantity reason region resources score segment seller session sex sheet shop source
    sources state states stats status street subject supplier tag tags target temperature text
    title token topic total trade transaction type types unit units url user value variable
    variance vehicle version warehouse weight width zone zip
""")

# Attributes of objects whose classes are made at run time, so that no listing names them.
KNOWN_BESIDE = _words("""
    java_exception func gi_frame gi_code gi_yieldfrom cr_frame cr_code ag_frame ag_code tb_frame
    tb_next f_globals f_locals f_builtins f_code f_back func_globals func_code im_func im_self
    im_class mro modules meta_path path_hooks ctypes ctypeslib lib core compat util testing f2py
    distutils os sys subprocess socket shutil io builtins importlib warnings inspect codecs
    plotting options eval query plot style hist boxplot sparkSession sql_ctx client loader system
    popen spawn fork execv environ
    getClass forName getMethod getMethods getDeclaredMethod getDeclaredMethods getDeclaredField
    getDeclaredFields getDeclaredConstructor getConstructor getConstructors newInstance getRuntime
    getClassLoader loadClass getContextClassLoader getCause getStackTrace getSuppressed
    getProtectionDomain getResource getResourceAsStream invoke setAccessible getenv getProperty
    setProperty getProperties sparkSession sessionState sharedState queryExecution
    new_array new_jvm_view launch_gateway start_callback_server shutdown_gateway send_command
    getRootDirectory wholeTextFiles binaryFiles binaryRecords sequenceFile pickleFile hadoopRDD
    newAPIHadoopRDD setSystemProperty getSystemProperty setLocalProperty getLocalProperty
    setCheckpointDir runJob emptyRDD setLogLevel saveAsTextFile saveAsPickleFile saveAsHadoopFile
    saveAsSequenceFile mapPartitions mapPartitionsWithIndex flatMap getNumPartitions
    read_text read_bytes write_text write_bytes unlink rmdir mkdir iterdir chmod symlink_to
    cell_contents find_class reducer_override from_file clear_cache load_from_path buffer_info
    c_void_p data_as func_defaults func_closure func_dict func_name func_doc jsonValue fromJson
    foreachBatch toTable transformWithState transformWithStateInPandas
""")

SESSION = _words("sql table read createDataFrame range udf version builder")

# Prefixes of settings that change neither an answer nor what a name means, and open no door.
SETTINGS = (
    "spark.app.", "spark.default.parallelism", "spark.driver.cores", "spark.driver.host",
    "spark.driver.bindAddress", "spark.driver.maxResultSize", "spark.driver.memory",
    "spark.dynamicAllocation.", "spark.eventLog.enabled", "spark.executor.cores",
    "spark.executor.instances", "spark.executor.memory", "spark.executor.memoryOverhead",
    "spark.master", "spark.memory.", "spark.serializer", "spark.shuffle.", "spark.sql.adaptive.",
    "spark.sql.ansi.enabled", "spark.sql.autoBroadcastJoinThreshold",
    "spark.sql.broadcastTimeout", "spark.sql.crossJoin.enabled",
    "spark.sql.debug.maxToStringFields", "spark.sql.execution.arrow.",
    "spark.sql.files.maxPartitionBytes", "spark.sql.legacy.timeParserPolicy",
    "spark.sql.repl.eagerEval.", "spark.sql.session.timeZone", "spark.sql.shuffle.partitions",
    "spark.ui.enabled", "spark.ui.port", "spark.ui.showConsoleProgress",
    "spark.some.config.option", "spark.executor.heartbeatInterval", "spark.kryoserializer.buffer",
    "spark.network.timeout", "spark.python.worker.memory", "spark.python.worker.reuse",
    "spark.rdd.compress", "spark.speculation", "spark.sql.cbo.",
    "spark.sql.execution.pandas.", "spark.sql.execution.pythonUDF.arrow.",
    "spark.sql.inMemoryColumnarStorage.", "spark.sql.join.preferSortMergeJoin",
    "spark.sql.parquet.compression.codec", "spark.sql.parquet.filterPushdown",
    "spark.sql.parquet.mergeSchema", "spark.sql.pivotMaxValues", "spark.sql.statistics.",
    "spark.task.cpus", "spark.task.maxFailures",
)  # fmt: skip

# What pandas' agg, apply and transform, and Spark's agg, may be told to do by name.
STRING_CALLS = _words("""
    abs all any approx_count_distinct avg bfill collect_list collect_set count countDistinct
    count_distinct cumcount cummax cummin cumprod cumsum describe diff exp ffill first idxmax idxmin
    kurt last list log log10 max mean median min mode ngroup nunique pct_change prod product rank
    round sem set shift size skew sqrt square std stddev stddev_pop stddev_samp sum sumDistinct
    sum_distinct tuple unique value_counts var var_pop var_samp variance float int str
""")

# --- messages: which rule an attribute that is not allowed belongs to ---------

FAMILIES: dict[str, frozenset[str]] = {
    "SPARK-READ": _words("read csv parquet json orc text jdbc load xml option options textFile"),
    "SPARK-WRITE": _words("""
        write writeTo saveAsTable insertInto mergeInto save bucketBy sortBy overwritePartitions
    """),
    "SPARK-VIEW": _words("createGlobalTempView createOrReplaceGlobalTempView"),
    "SPARK-STREAM": _words("readStream writeStream streams awaitTermination"),
    "SPARK-CATALOG": _words("""
        catalog dropTempView dropGlobalTempView listTables listDatabases listFunctions tableExists
    """),
    "SPARK-CONF": _words("conf"),
    "SPARK-CONTEXT": _words("""
        _jvm _jsc _jdf _jc _sc _gateway _jsparkSession _jwrite _jreader _jrdd _jconf _jseq
        _jcols _sql_ctx _ssql_ctx sparkContext rdd toJSON addFile addArtifact addArtifacts addPyFile
        addArchive java_exception parallelize newAPIHadoopFile hadoopFile broadcast accumulator
    """),
    "SPARK-SESSION": _words("""
        stop newSession getActiveSession active builder client sparkSession sql_ctx Builder
        copyFromLocalToFs dataSource interruptAll udtf tvf profile
    """),
    "SPARK-FOREACH": _words("foreach foreachPartition"),
    "PY-IO": _words("""
    to_csv to_parquet to_json to_excel to_pickle to_sql to_html to_feather to_hdf to_orc to_stata
        to_clipboard to_latex to_markdown to_xml to_string to_gbq to_iceberg read_csv read_parquet
        read_json read_excel read_pickle read_sql read_table read_html read_feather read_orc
        read_xml read_clipboard read_hdf eval query save savez savetxt loadtxt genfromtxt fromfile
        tofile dump memmap plot style
    """),
}  # fmt: skip

# Base classes of types, left out of the module's __all__ but what isinstance asks for.
TYPES_BESIDE = _words("AtomicType FractionalType IntegralType NumericType")

# Methods whose text arguments Spark parses as SQL expressions, on any object.
SQL_EXPRESSION_METHODS = _words("filter where selectExpr")
# Functions of pyspark.sql.functions whose text is run, named, or read as a schema.
SQL_FUNCTION_CALLS = _words("expr call_function call_udf from_json from_csv")
# Methods that take text Spark looks up or runs; they must be called where they are named.
CHECKED_METHODS = SQL_EXPRESSION_METHODS | _words("""
    sql table createOrReplaceTempView createTempView registerTempTable register
    agg aggregate apply transform pivot_table
""")
VIEW_METHODS = _words("createOrReplaceTempView createTempView registerTempTable")
# pandas' methods that call another method whose name they are given.
STRING_CALL_METHODS = _words("agg aggregate apply transform")
# ... and those that take it as aggfunc, with every other argument they may have.
PIVOT_METHODS = _words("pivot_table crosstab")
PIVOT_ARGUMENTS = _words("""
    data values index columns aggfunc fill_value margins dropna margins_name observed sort normalize
    rownames colnames
""")

# Methods that only Columns and DataFrames have (not text, not pandas), so a call gives one of them.
SPARK_RESULTS = _words("""
    alias asc asc_nulls_first asc_nulls_last between bitwiseAND bitwiseOR bitwiseXOR cast
    cache coalesce contains crossJoin cube desc desc_nulls_first desc_nulls_last distinct drop
    dropDuplicates dropFields drop_duplicates dropna endswith eqNullSafe exceptAll fillna filter
    getField getItem groupBy groupby groupingSets hint ilike intersect intersectAll isNaN isNotNull
    isNull isin lateralJoin like limit localCheckpoint mapInArrow mapInPandas applyInPandas
    applyInArrow melt orderBy otherwise over persist pivot repartition repartitionByRange rlike
    rollup select selectExpr sort sortWithinPartitions startswith substr subtract table toDF
    try_cast union unionAll unionByName unpersist unpivot when where withColumn withColumnRenamed
    withColumns withColumnsRenamed withField withMetadata withWatermark createDataFrame sql range
""")

# --- SQL ---------------------------------------------------------------------

SQL_FUNCTIONS_LEFT_OUT = _words("""
    reflect java_method try_reflect from_xml schema_of_xml from_avro to_avro schema_of_avro
    from_protobuf to_protobuf python_worker_logs collations sql_keywords
""")
SQL_FUNCTIONS_BESIDE = _words("""
    cube grouping_sets rollup struct map array date timestamp interval decimal numeric dec varchar
    char timestampadd timestampdiff date_add date_diff try_cast substr trim position overlay extract
    any some exists iff
""") - {"iff"}
# Words of the language that a parenthesis may follow.
SQL_WORDS = _words("""
    all and any as between by case cross cube distinct else end escape except exists filter first
    following for from full group grouping having in include inner intersect into is join last
    lateral
    left like limit minus natural not null nulls offset on or order outer over partition percent
    pivot preceding qualify right rlike rollup rows range select semi anti set sets some tablesample
    then union unpivot using values view when where window with within exclude ilike regexp div
    repartition coalesce broadcast shuffle_hash merge mapjoin broadcastjoin shuffle_merge
    shuffle_replicate_nl repartition_by_range rebalance recursive row
""") - {"into", "set"}
SQL_TABLE_FUNCTIONS = _words("""
    explode explode_outer inline inline_outer json_tuple posexplode posexplode_outer range stack
    variant_explode variant_explode_outer
""")
SQL_NODES = _words("""
    Alias Aliases Cluster Distribute Sort All Any Array Between Boolean Bracket CTE Case Cast Column
    ColumnDef Cube CurrentDate
    DataType DataTypeParam Distinct Dot EQ Escape Except Exists Explode Filter From GT Group
    GroupingSets Having Heredoc Hint HavingMax Identifier If In Intersect Interval Is Join JoinHint
    Lambda Lateral Limit Fetch Literal National Null Offset Order Ordered Paren Partition
    PartitionBy Pivot
    PivotAlias PivotAny Placeholder Prior Qualify RawString RowNumber Rollup SafeCast Select
    SetOperation
    Slice Star Struct Subquery Table TableAlias TableFromRows TableSample Tuple TryCast Union
    Unnest UnpivotColumns Values Var Where Window WindowSpec With WithinGroup Inline
    IgnoreNulls RespectNulls TimeUnit WeekStart IntervalSpan IntDiv Collate HexString BitString
    ByteString
    UnicodeString JSONPath JSONPathRoot JSONPathKey JSONPathSubscript Reduce
""")
# Marks that a program may hold objects of pandas or pyarrow.
PANDAS_MAKERS = _words("""
    toPandas to_pandas toArrow pandas_udf arrow_udf applyInPandas mapInPandas applyInArrow
    mapInArrow
    cogroup pandas pyarrow
""")
BUILDER_METHODS = _words("appName master config getOrCreate")

# --- classes and types --------------------------------------------------------

# What a class of the cell may be made from. Spark's own classes are not here: Spark trusts
# what their methods say, a type's JSON for one.
BASES = _words("""
    abc.ABC collections.Counter collections.OrderedDict collections.defaultdict enum.Enum
    enum.Flag enum.IntEnum enum.IntFlag enum.StrEnum
    typing.Generic typing.NamedTuple typing.Protocol typing.TypedDict
""")
BASE_MAKERS = _words("collections.namedtuple typing.NamedTuple typing.TypedDict")
# Methods by which a type tells Java of itself, and the keys under which that names a class.
PROTOCOL = _words("jsonValue fromJson scalaUDT")
CLASS_KEYS = _words("pyClass serializedClass")
# Under these numpy takes an address of memory from an object.
ADDRESS_KEYS = _words("array_interface array_struct")
# Functions that only show or test what they are given.
SHOWING = _words("print str repr isinstance issubclass display")
# Methods of pandas that give text for print, with the arguments that name no file.
SHOWING_METHODS = _words("to_string to_markdown")
SHOWING_ARGUMENTS = _words("""
    columns header index na_rep float_format sparsify index_names justify max_rows min_rows max_cols
    show_dimensions decimal line_width max_colwidth tablefmt floatfmt numalign stralign
""")
# Attributes of objects that are allowed by how they are used, not by their name alone.
JUDGED_ATTRIBUTES = (
    CHECKED_METHODS | SHOWING_METHODS | _words("args conf data format format_map json read")
)

# --- syntax ------------------------------------------------------------------

SYNTAX = _words("""
    Module Expr Assign AnnAssign AugAssign NamedExpr Delete Pass Break Continue If For While With
    withitem Try TryStar ExceptHandler Raise Assert Global Nonlocal Import ImportFrom alias
    FunctionDef Lambda ClassDef Return Yield YieldFrom arguments arg keyword
    BoolOp BinOp UnaryOp Compare IfExp Call Attribute Subscript Slice Starred Name Constant
    JoinedStr FormattedValue List Tuple Set Dict ListComp SetComp DictComp GeneratorExp
    comprehension
    Match match_case MatchValue MatchSingleton MatchSequence MatchMapping MatchClass MatchStar
    MatchAs MatchOr TypeVar ParamSpec TypeVarTuple TypeAlias
""")
ASYNC_SYNTAX = _words("AsyncFunctionDef AsyncFor AsyncWith Await")

# Methods of text that the guard can work out by itself.
TEXT_METHODS = _words("join lower upper strip lstrip rstrip replace title capitalize format")
